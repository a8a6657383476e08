"""Writers write what fastavro and the reference implementation write."""

import io
import json
from typing import Any

import avro.io
import avro.schema
import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import framing
from schemas.avro_writer import UNFIT, AvroWriter
from schemas.writer_schema import without_logical_types
from tests.property.avro_values import (
    ENUM,
    FIXED,
    SCALAR,
    TIME,
    TYPES,
    array,
    mapping,
    named_apart,
    record,
    values,
)

HEAD = framing.head(1)


def writer(schema: Any, *, rows: bool = False) -> AvroWriter:
    parsed: Any = fastavro.parse_schema(schema)
    return AvroWriter(parsed, HEAD, rows=rows)


def row(node: Any, value: Any) -> Any:
    """A record as a row, with all records within it."""
    if isinstance(node, list):
        others = [each for each in node if each != "null"]
        return value if value is None or len(others) > 1 else row(others[0], value)
    match node if isinstance(node, str) else node["type"]:
        case "record":
            return tuple(row(each["type"], value[each["name"]]) for each in node["fields"])
        case "array":
            return [row(node["items"], each) for each in value]
        case "map":
            return {name: row(node["values"], each) for name, each in value.items()}
        case _:
            return value


def fastavro_bytes(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    plain = fastavro.parse_schema(without_logical_types(schema))
    fastavro.schemaless_writer(stream, plain, value, strict=True)
    return HEAD + stream.getvalue()


def reference_reads(schema: Any, value: bytes) -> Any:
    reader = avro.io.DatumReader(avro.schema.parse(json.dumps(without_logical_types(schema))))
    stream = io.BytesIO(value[framing.HEAD_BYTES :])
    back = reader.read(avro.io.BinaryDecoder(stream))
    assert stream.read() == b""
    return back


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_record(data: st.DataObject) -> None:
    """Whatever the schema, the bytes are fastavro's, and the reference reads what was written."""
    schema = named_apart(record(data.draw(st.lists(TYPES, min_size=1, max_size=4))), [])
    records, rows = writer(schema), writer(schema, rows=True)
    for _ in range(3):
        value = data.draw(values(schema))
        expected = fastavro_bytes(schema, value)
        assert records.write(value) == expected
        assert rows.write(row(schema, value)) == expected
        assert reference_reads(schema, expected) == value


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**20), 2**20))
def test_whole_numbers(number: int) -> None:
    """A whole number of any size is written as fastavro writes it, be it a time or not."""
    for kind in ("long", TIME):
        expected = fastavro_bytes(record([kind]), {"f0": number})
        assert writer(record([kind])).write({"f0": number}) == expected


@pytest.mark.parametrize("number", [0, 1, -7, 2**53 + 1, True])
def test_whole_numbers_as_doubles(number: int) -> None:
    """Where a double belongs, a whole number is written as one, as fastavro does."""
    expected = fastavro_bytes(record(["double"]), {"f0": float(number)})
    assert writer(record(["double"])).write({"f0": number}) == expected


@pytest.mark.parametrize(("kind", "value"), [("string", ""), ("long", 0), ("double", 0.0)])
def test_nothing_is_not_empty(kind: str, value: Any) -> None:
    """An optional field that is empty or zero is written, one that is absent is not."""
    for schema in (record([["null", kind]]), record([[kind, "null"]])):
        for each in ({"f0": value}, {"f0": None}):
            assert writer(schema).write(each) == fastavro_bytes(schema, each)


@pytest.mark.parametrize("bits", range(64))
def test_bounds_of_whole_numbers(bits: int) -> None:
    """Numbers at the bounds of each length are written as fastavro writes them."""
    for number in (2**bits - 1, -(2**bits), *([2**bits] if bits < 63 else [])):
        for kind in ("long", TIME):
            expected = fastavro_bytes(record([kind]), {"f0": number})
            assert writer(record([kind])).write({"f0": number}) == expected


UNFIT_VALUES: list[tuple[Any, list[Any]]] = [
    ("boolean", [None, "true", 2]),
    ("int", [None, "1", 1.5, 2**31, -(2**31) - 1]),
    ("long", [None, "1", 1.5, 2**63, -(2**63) - 1]),
    (TIME, [None, "1", 1.5, 2**63, -(2**63) - 1]),
    ("float", [None, "1.0", 1e300]),
    ("double", [None, "1.0", 10**400]),
    ("string", [None, 1, b"a", "\ud800"]),
    ("bytes", [None, 1, "a", [1]]),
    (FIXED, [None, b"12", b"1234", "123"]),
    (ENUM, [None, "D", 0]),
    (array("long"), [None, 0, ["1"], {"a": 1}]),
    (mapping("long"), [None, 0, [1], {1: 1}, {"a": "1"}]),
    (["null", "string"], [1, b"a"]),
    (["long", "null"], ["1"]),
    (SCALAR, [b"a", [], 2**63]),
    (record(["long"]), [None, {}, {"f1": 1}, {"f0": 1, "f1": 1}]),
]


@pytest.mark.parametrize(
    ("node", "value"), [(node, value) for node, bad in UNFIT_VALUES for value in bad]
)
def test_unfit(node: Any, value: Any) -> None:
    """A value of another type, or beyond its type's range, is not written."""
    schema = record([node]) | {"name": "Outer"}
    for unfit in (writer(schema), {"f0": value}), (writer(schema, rows=True), (value,)):
        with pytest.raises(UNFIT):
            unfit[0].write(unfit[1])


@pytest.mark.parametrize("value", [{}, {"f1": 1}, {"f0": 1, "f1": 1}])
def test_other_names(value: Any) -> None:
    """A record that lacks a field or has another one is not written, and the field is named."""
    with pytest.raises(UNFIT, match="f0" if value == {} else "f[01]"):
        writer(record(["long"])).write(value)


@pytest.mark.parametrize("value", [(), (1, 2), [1], None, {"f0": 1}])
def test_rows_of_other_lengths(value: Any) -> None:
    """A row with more or fewer values than the schema has fields is not written."""
    with pytest.raises(UNFIT):
        writer(record(["long"]), rows=True).write(value)


def test_a_refusal_leaves_nothing_behind() -> None:
    """After a record that was refused half-way, the next is written as if it had been alone."""
    schema = record(["string", "long"])
    write = writer(schema).write
    with pytest.raises(UNFIT):
        write({"f0": "half-way", "f1": None})
    assert write({"f0": "", "f1": 0}) == fastavro_bytes(schema, {"f0": "", "f1": 0})
