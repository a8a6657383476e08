"""Readers read what fastavro reads, and refuse what it takes although it is wrong."""

import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import framing, writer_schema
from schemas.avro_reader import AvroReader
from schemas.dead_letter_reason import DeadLetterReason as Reason
from schemas.dead_letter_reason import Undecodable
from tests.property.avro_values import (
    ENUM,
    FIXED,
    TYPES,
    array,
    mapping,
    named_apart,
    record,
    values,
)

HEAD = framing.head(1)


def encoded(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return HEAD + stream.getvalue()


def some_schema(data: st.DataObject) -> Any:
    types = data.draw(st.lists(TYPES, min_size=1, max_size=3))
    return writer_schema.without_logical_types(named_apart(record(types), []))


def readers(schema: Any) -> tuple[AvroReader, AvroReader]:
    """One that keeps everything, and one that keeps nothing."""
    parsed = writer_schema.parse(json.dumps(schema))
    everything = dict.fromkeys(each["name"] for each in parsed["fields"])
    return AvroReader(parsed, everything), AvroReader(parsed, {})


def refusal(reader: AvroReader, value: bytes) -> Reason | None:
    try:
        reader.read(value)
    except Undecodable as error:
        return error.reason
    return None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_schema(data: st.DataObject) -> None:
    """Whatever the schema, a value is read as fastavro reads it, and is not one byte different."""
    schema = some_schema(data)
    keep, check = readers(schema)
    for _ in range(3):  # some of it is known from before
        good = encoded(schema, data.draw(values(schema)))
        stream = io.BytesIO(good[framing.HEAD_BYTES :])
        assert keep.read(good) == fastavro.schemaless_reader(
            stream, fastavro.parse_schema(schema), None
        )
        assert check.read(good) == {}
    for reader in (keep, check):
        assert refusal(reader, good + b"\x00") is Reason.TRAILING_BYTES
        for length in range(framing.HEAD_BYTES, len(good)):
            assert refusal(reader, good[:length]) is Reason.TRUNCATED


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged(data: st.DataObject) -> None:
    """Damaged bytes are a value or refused by name, and the same whether it is kept or not."""
    schema = some_schema(data)
    bad = bytearray(encoded(schema, data.draw(values(schema))))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(framing.HEAD_BYTES, len(bad)))
        bad[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    keep, check = readers(schema)
    assert refusal(keep, bytes(bad)) is refusal(check, bytes(bad))


LONG = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"
WRONG = {
    "a boolean of 2": ("boolean", b"\x02"),
    "an int of 33 bits": ("int", b"\x80\x80\x80\x80\x10"),
    "a long of 65 bits": ("long", LONG + b"\x02"),
    "a long of 11 bytes": ("long", LONG + b"\x80\x00"),
    "a long without end": ("long", b"\x80" * 1000),
    "a text of negative length": ("string", b"\x01"),
    "a text of the least length": ("string", LONG + b"\x01"),
    "bytes of negative length": ("bytes", b"\x81\x01" + bytes(100)),
    "no UTF-8": ("string", b"\x02\xff"),
    "no UTF-8 in a key": (mapping("null"), b"\x02\x02\xff\x00"),
    "symbol 3": (ENUM, b"\x06"),
    "symbol -1": (ENUM, b"\x01"),
    "branch 2": (["null", "long"], b"\x04\x00"),
    "branch -1": (["null", "long"], b"\x01\x00"),
    "a branch in two bytes": (["null", "long"], b"\x82\x00\x00"),
    "a branch of a union without any": ([], b"\x00"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_bytes(case: str) -> None:
    """Bytes that no writer writes are refused, read or passed over."""
    node, body = WRONG[case]
    for reader in readers(record([node, "string"])):
        assert refusal(reader, HEAD + body + b"\x00") is Reason.BAD_VALUE


FAR = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"
"""The largest whole number of 64 bits."""

LEAST = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
"""The least one, which has no counterpart above zero."""


@pytest.mark.parametrize(
    "node",
    ["string", "bytes", array("double"), array(FIXED), mapping("null"), array(mapping("int"))],
)
def test_endless(node: Any) -> None:
    """A length or count beyond the end is refused at once, read or passed over."""
    for reader in readers(record([node, "double"])):
        assert refusal(reader, HEAD + FAR + bytes(100)) is Reason.TRUNCATED
        assert refusal(reader, HEAD + b"\x7e" + bytes(10)) is Reason.TRUNCATED


@pytest.mark.parametrize("node", [array("double"), mapping("null"), array(mapping("int"))])
def test_least_count(node: Any) -> None:
    """The least number of items, which says that their size follows, is as endless."""
    for reader in readers(record([node])):
        assert refusal(reader, HEAD + LEAST + bytes(100)) is Reason.TRUNCATED


def test_blocks() -> None:
    """Items come in any number of blocks, with their sizes in bytes or without."""
    body = b"\x02\x0a" + b"\x03\x04\x02\x04" + b"\x82\x00\x08" + b"\x00"
    keep, check = readers(record([array("long")]))
    assert keep.read(HEAD + body) == {"f0": [5, 1, 2, 4]}
    assert check.read(HEAD + body) == {}


@pytest.mark.parametrize("length", [63, 64, 127, 128, 8191, 8192, 2**20, 2**21])
def test_long_texts(length: int) -> None:
    """A text of any length is read, and missed where it is not whole."""
    schema = record(["string", "bytes"])
    value = {"f0": "x" * length, "f1": b"y" * length}
    good = encoded(schema, value)
    keep, check = readers(schema)
    assert keep.read(good) == value
    assert check.read(good) == {}
    assert refusal(keep, good[:-1]) is refusal(check, good[: length // 2]) is Reason.TRUNCATED


def test_numbers_longer_than_need_be() -> None:
    """Whole numbers, lengths and counts need not have their shortest form."""
    keep, _ = readers(record(["int", "string", array("long")]))
    body = b"\x82\x80\x00" + b"\x82\x00a" + b"\x82\x80\x00\x02\x80\x00"
    assert keep.read(HEAD + body) == {"f0": 1, "f1": "a", "f2": [1]}


def deep(levels: int) -> Any:
    node: Any = "string"
    for number in range(levels):
        node = (array, mapping, lambda inner: record([inner]), lambda inner: ["null", inner])[
            number % 4
        ](node)
    return named_apart(record([node]), [])


def test_deep_types() -> None:
    """Types within types, nearly as deep as they may be, are read and passed over."""
    levels = 50
    schema = deep(levels)
    value: Any = "x"
    for number in range(levels):
        value = ([value], {"k": value}, {"f0": value}, value)[number % 4]
    good = encoded(schema, {"f0": value})
    keep, check = readers(schema)
    assert keep.read(good) == {"f0": value}
    assert check.read(good) == {}
