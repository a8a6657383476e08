"""Our bytes, held against avro-python3, the reference implementation."""

import io
from functools import cache
from typing import Any

import avro.io
import avro.schema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.framing import HEAD_BYTES, head
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS

TOPICS = INPUT_TOPICS + OUTPUT_TOPICS
SCHEMA_ID = 7

PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "string": st.text(max_size=20),
    "bytes": st.binary(max_size=20),
}


def values(schema: Any) -> st.SearchStrategy[Any]:
    if isinstance(schema, list):
        return st.one_of([values(each) for each in schema])
    if isinstance(schema, str):
        return PRIMITIVES[schema]
    match schema["type"]:
        case "record":
            return st.fixed_dictionaries(
                {each["name"]: values(each["type"]) for each in schema["fields"]}
            )
        case "array":
            return st.lists(values(schema["items"]), max_size=3)
        case "map":
            return st.dictionaries(st.text(max_size=8), values(schema["values"]), max_size=3)
        case primitive:
            return PRIMITIVES[primitive]


def example(schema: Any) -> Any:
    """One present value of a type, with no choice left open."""
    if isinstance(schema, list):
        return example(schema[-1])
    if isinstance(schema, str):
        sample = {"boolean": True, "int": -3, "long": 1_700_000_000_123, "double": 0.1}
        return {**sample, "string": "Zoë", "bytes": b"\x00\xff"}[schema]
    match schema["type"]:
        case "record":
            return {each["name"]: example(each["type"]) for each in schema["fields"]}
        case "array":
            return [example(schema["items"])]
        case "map":
            return {"company": example(schema["values"]), "seats": 12, "trial": False, "x": None}
        case primitive:
            return example(primitive)


def optional_fields(topic: str) -> list[str]:
    fields = contract(topic).schema["fields"]
    return [each["name"] for each in fields if isinstance(each["type"], list)]


def presences() -> list[tuple[str, frozenset[str]]]:
    cases = []
    for topic in TOPICS:
        names = optional_fields(topic)
        cases += [(topic, frozenset()), (topic, frozenset(names))]
        cases += [(topic, frozenset({name})) for name in names]
    return cases


@cache
def their_schema(topic: str) -> Any:
    return avro.schema.parse(contract(topic).text)


def their_encoding(topic: str, record: object) -> bytes:
    stream = io.BytesIO()
    avro.io.DatumWriter(their_schema(topic)).write(record, avro.io.BinaryEncoder(stream))
    return stream.getvalue()


def their_decoding(topic: str, value: bytes) -> object:
    stream = io.BytesIO(value)
    record = avro.io.DatumReader(their_schema(topic)).read(avro.io.BinaryDecoder(stream))
    assert stream.read() == b""
    return record


@cache
def decoder(topic: str) -> Decoder:
    schemas = WriterSchemas()
    schemas.learn(SCHEMA_ID, contract(topic).text)
    return Decoder(contract(topic), schemas)


def as_reference_writes(record: dict[str, Any]) -> dict[str, Any]:
    """The reference takes the last branch that fits, so every number of a form is a double."""
    return {
        name: {key: float(each) if isinstance(each, int) else each for key, each in value.items()}
        if isinstance(value, dict)
        else value
        for name, value in record.items()
    }


def exact(value: object) -> object:
    """A value that equals only what has the same types too: 1, 1.0 and True are three things."""
    if isinstance(value, dict):
        return {key: exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [exact(each) for each in value]
    return type(value), value


def agrees(topic: str, record: dict[str, Any]) -> None:
    ours = Encoder(contract(topic), SCHEMA_ID).encode(record)
    assert ours[:HEAD_BYTES] == head(SCHEMA_ID)
    assert exact(their_decoding(topic, ours[HEAD_BYTES:])) == exact(record)

    record = as_reference_writes(record)
    theirs = head(SCHEMA_ID) + their_encoding(topic, record)
    assert exact(decoder(topic).decode(theirs)) == exact(record)
    assert theirs == Encoder(contract(topic), SCHEMA_ID).encode(record)


@pytest.mark.parametrize(("topic", "present"), presences())
def test_optional_fields(topic: str, present: frozenset[str]) -> None:
    """Whichever optional field is there or not, the reference reads what we write, and back."""
    record = example(contract(topic).schema)
    absent = {name: None for name in optional_fields(topic) if name not in present}
    agrees(topic, record | absent)


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_record(topic: str, data: st.DataObject) -> None:
    """Any record of a contract has the same bytes from us and from the reference."""
    agrees(topic, data.draw(values(contract(topic).schema)))
