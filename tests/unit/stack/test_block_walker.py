"""Finding the end of a block: held against blocks that clickhouse-driver writes."""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from types import SimpleNamespace

import pytest
from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.context import Context
from clickhouse_driver.streams.native import BlockOutputStream
from hypothesis import given
from hypothesis import strategies as st

from leadvelocity.stack.clickhouse.block_walker import header, walk
from leadvelocity.stack.clickhouse.byte_source import ByteSource
from leadvelocity.stack.clickhouse.errors import ProtocolError

REVISION_WITHOUT_BLOCK_INFO = 0
SETTINGS = {
    "use_numpy": False,
    "strings_as_bytes": False,
    "strings_encoding": "utf-8",
    "namedtuple_as_json": False,
    "input_format_null_as_default": False,
    "opentelemetry_traceparent": None,
    "opentelemetry_tracestate": "",
}
texts = st.text(max_size=300)
floats = st.floats(allow_nan=False)
bytes_ = st.integers(0, 255)
longs = st.integers(-(2**63), 2**63 - 1)

COLUMNS = {
    "String": texts,
    "FixedString(7)": st.text("abc", max_size=7),
    "UInt8": bytes_,
    "Bool": st.booleans(),
    "Int64": longs,
    "Float64": floats,
    "UUID": st.uuids(),
    "DateTime64(3, 'UTC')": longs.map(lambda number: number % 10**12),
    "Enum8('a (odd)' = 1, 'b' = 2)": st.sampled_from([1, 2]),
    "Decimal(38, 3)": st.integers(-(10**9), 10**9),
    "Nullable(String)": st.none() | texts,
    "LowCardinality(String)": texts,
    "LowCardinality(Nullable(String))": st.none() | texts,
    "Array(LowCardinality(String))": st.lists(texts, max_size=4),
    "Array(Array(Nullable(Float64)))": st.lists(
        st.lists(st.none() | floats, max_size=3), max_size=3
    ),
    "Array(Tuple(signal String, points Float64))": st.lists(st.tuples(texts, floats), max_size=4),
    "Tuple(`a b` UInt8, c Array(String))": st.tuples(bytes_, st.lists(texts, max_size=3)),
    "Map(String, LowCardinality(String))": st.dictionaries(texts, texts, max_size=4),
    "SimpleAggregateFunction(sum, Int64)": longs,
}


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[tuple[str, str]], int, bytes]:
    """Names and types, number of rows, and the block as the driver writes it."""
    rows = draw(st.integers(1, 20))
    types = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=4))
    columns = [(f"column {number}", name) for number, name in enumerate(types)]
    values = [draw(st.lists(COLUMNS[name], min_size=rows, max_size=rows)) for name in types]
    return columns, rows, written(columns, values)


def written(columns: list[tuple[str, str]], values: list[list[object]]) -> bytes:
    context = Context()
    context.server_info = SimpleNamespace(
        used_revision=REVISION_WITHOUT_BLOCK_INFO, get_timezone=lambda: "UTC"
    )
    context.settings = {}
    context.client_settings = SETTINGS
    sent = BytesIO()
    writer = BufferedSocketWriter(SimpleNamespace(sendall=sent.write), 1 << 16)
    BlockOutputStream(writer, context).write(
        ColumnOrientedBlock(columns_with_types=columns, data=values)
    )
    writer.flush()
    return sent.getvalue()


def in_pieces(data: bytes, size: int) -> ByteSource:
    pieces: Iterator[bytes] = (data[start : start + size] for start in range(0, len(data), size))
    return ByteSource(lambda: next(pieces, b""))


@given(blocks(), st.integers(1, 50))
def test_a_block_ends_where_the_driver_ended_it(block, piece_bytes):
    """Any block is passed over to its last byte and no further, however it arrives."""
    columns, rows, data = block
    source = in_pieces(data + b"next", piece_bytes)

    walked = walk(source)

    assert (list(walked.columns), walked.rows) == (columns, rows)
    assert source.at == len(data)


def test_a_large_string_is_passed_over_too():
    """Lengths of more than one byte count in full."""
    data = written([("a", "String")], [["x" * 100, "y" * 100_000, ""]])
    source = ByteSource.over(data)

    walk(source)

    assert source.at == len(data)


def test_a_header_is_a_block_without_rows():
    """What we send before the rows is a block itself."""
    columns = (("a", "String"), ("b", "Array(Tuple(x String, y Float64))"))

    assert walk(ByteSource.over(header(columns))).columns == columns


@pytest.mark.parametrize("name", ["JSON", "Dynamic", "AggregateFunction(sum, UInt8)", "", "Strin"])
def test_an_unknown_layout_is_refused_by_name(name):
    """A type whose layout is not known is never guessed."""
    data = b"\x01\x01\x01a" + bytes([len(name)]) + name.encode() + b"\x00" * 9

    with pytest.raises(ProtocolError, match="passed on"):
        walk(ByteSource.over(data))


@given(st.binary(max_size=300))
def test_nonsense_is_refused(data):
    """Any bytes are a block or a broken protocol, and nothing else happens."""
    with suppress(ProtocolError):
        walk(ByteSource.over(data))


@given(st.sampled_from(sorted(COLUMNS)), st.binary(max_size=300))
def test_nonsense_in_a_column_is_refused(name, data):
    """Damaged values do not hang a reader, whatever numbers are in them."""
    start = b"\x01\xff\xff\xff\xff\x0f\x01a" + bytes([len(name.encode())]) + name.encode()

    with pytest.raises(ProtocolError):
        walk(ByteSource.over(start + data))


def test_a_dictionary_column_with_more_rows_than_its_block_is_refused():
    """Numbers that contradict each other are noticed."""
    one_row = b"\x01\x01\x01a\x15LowCardinality(UInt8)"
    version, indexes, keys, rows = (number.to_bytes(8, "little") for number in (1, 0, 1, 2))

    with pytest.raises(ProtocolError, match="wrong number of rows"):
        walk(ByteSource.over(one_row + version + indexes + keys + b"\x07" + rows + b"\x00\x00"))


def test_a_number_without_end_is_refused():
    """A count is ten bytes long at most."""
    with pytest.raises(ProtocolError, match="without end"):
        walk(ByteSource.over(b"\xff" * 20))
