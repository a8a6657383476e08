"""The quick way from bytes to events is the plain way, whatever the bytes and schemas are."""

import io
import json
from functools import cache
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import framing, writer_schema
from schemas.contracts import contract
from schemas.dead_letter_reason import Undecodable
from schemas.decoding import Decoder, WriterSchemas
from schemas.event_decoding import EventDecoder
from schemas.events import EventLimits, read_event
from schemas.topics import EMAIL_OPENS, FORM_FILLS, INPUT_TOPICS
from scoring.event import Event

LIMITS = EventLimits(id_chars_max=70, field_chars_max=100, profile_fields_max=3)

EXTRA: list[Any] = [
    "double",
    ["null", "bytes", {"type": "array", "items": ["null", "string"]}],
    {"type": "enum", "name": "Mood", "symbols": ["GOOD", "BAD"]},
    {"type": "fixed", "name": "Four", "size": 4},
    {"type": "map", "values": {"type": "array", "items": {"type": "map", "values": "float"}}},
    {"type": "record", "name": "Part", "fields": [{"name": "lead_id", "type": "string"}]},
]


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One oddity hides all others of a value, so they are few."""
    return st.integers(0, 11).flatmap(lambda draw: usual if draw else odd)


LONG = st.integers(60, 110).flatmap(lambda n: st.sampled_from("aé\u3042\x00").map(lambda c: c * n))
TEXTS = mostly(st.text(max_size=8), LONG)
IDS = mostly(st.text("abc-09", min_size=1, max_size=80), st.text(max_size=1) | LONG)
TIMES = mostly(
    st.integers(1_700_000_000_000, 1_700_000_100_000),
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.sampled_from([0, -1, 2**34, 2**41 - 1, 2**41, 2**53 - 1, 2**53]),
    ),
)


@cache
def versions(topic: str) -> list[dict[str, Any]]:
    """The contract, and what other releases or senders may have made of it."""
    own: dict[str, Any] = json.loads(contract(topic).text)
    fields = own["fields"]
    extra = [{"name": f"extra{number}", "type": each} for number, each in enumerate(EXTRA)]
    others = [
        fields[:3],
        fields[::-1],
        sorted(fields, key=lambda each: (each["name"] == "channel", each["name"] != "machine")),
        fields[:3] + extra + fields[4:],
        [*fields[:3], {"name": "fields", "type": {"type": "map", "values": "long"}}],
        [fields[0], fields[1] | {"type": "bytes"}, *fields[2:]],
    ]
    return [own, *(own | {"fields": each} for each in others)]


def values(node: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911  # a table of types
    if isinstance(node, list):
        return st.one_of([values(each) for each in node])
    match node if isinstance(node, str) else node["type"]:
        case "record":
            return st.fixed_dictionaries(
                {each["name"]: field_values(each) for each in node["fields"]}
            )
        case "array":
            return st.lists(values(node["items"]), max_size=3)
        case "map":
            return st.dictionaries(TEXTS, values(node["values"]), max_size=4)
        case "enum":
            return st.sampled_from(node["symbols"])
        case "fixed":
            return st.binary(min_size=node["size"], max_size=node["size"])
        case "bytes":
            return st.binary(max_size=80)
        case "long":
            return st.integers(-(2**63), 2**63 - 1)
        case "float":
            return st.floats(width=32)
        case name:
            return {
                "null": st.none(),
                "boolean": st.booleans(),
                "double": st.floats(),
                "string": TEXTS,
            }[name]


def field_values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    if field["name"] == "occurred_at":
        return TIMES
    if field["name"] in ("event_id", "lead_id"):
        return IDS.map(str.encode) if field["type"] == "bytes" else IDS
    return values(field["type"])


def encoded(number: int, schema: dict[str, Any], record: Any) -> bytes:
    stream = io.BytesIO()
    stream.write(framing.head(number))
    parsed = fastavro.parse_schema(writer_schema.without_logical_types(schema))
    fastavro.schemaless_writer(stream, parsed, record)
    return stream.getvalue()


KEPT = frozenset(("url", "campaign_id", "form_id"))


@cache
def decoders(topic: str) -> tuple[EventDecoder, EventDecoder, Decoder]:
    """A quick decoder that knows all versions, one that keeps few fields, and a plain one."""
    schemas = WriterSchemas()
    for number, schema in enumerate(versions(topic)):
        schemas.learn(number, json.dumps(schema))
    return (
        EventDecoder(topic, schemas, limits=LIMITS),
        EventDecoder(topic, schemas, limits=LIMITS, kept=KEPT),
        Decoder(contract(topic), schemas),
    )


def outcome(read: Any, *, kept: frozenset[str] | None = None) -> object:
    try:
        event = read()
    except Undecodable as error:
        return error.reason, error.text, error.field
    assert isinstance(event, Event)
    if kept is not None:
        fields = {name: each for name, each in event.fields.items() if name in kept}
        event = event.replace(fields=fields)
    types = {name: type(each) for name, each in {**event.fields, **event.profile}.items()}
    return repr(event.machine), types, event


def agree(topic: str, value: bytes) -> None:
    quick, lean, plain = decoders(topic)

    def plainly() -> Event:
        return read_event(topic, plain.decode(value), LIMITS)

    assert outcome(lambda: quick.decode(value)) == outcome(plainly)
    assert outcome(lambda: lean.decode(value), kept=KEPT) == outcome(plainly, kept=KEPT)


@pytest.mark.parametrize("topic", INPUT_TOPICS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_same_as_the_plain_way(topic: str, data: st.DataObject) -> None:
    """Good, odd, damaged and cut values of all versions give the same events or the same errors."""
    number = data.draw(st.integers(0, len(versions(topic)) - 1))
    schema = versions(topic)[number]
    value = encoded(number, schema, data.draw(values(schema)))
    agree(topic, value)
    agree(topic, value)  # its schema is known by now
    agree(topic, value + b"\x00")
    agree(topic, value[: data.draw(st.integers(0, len(value)))])
    damaged = bytearray(value)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(framing.HEAD_BYTES, len(damaged)))
        damaged[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    agree(topic, bytes(damaged))


def email_open(at_ms: int, **optional: str) -> bytes:
    schema = versions(EMAIL_OPENS)[0]
    record = dict.fromkeys(each["name"] for each in schema["fields"])
    return encoded(
        0, schema, record | {"event_id": "e", "lead_id": "l", "occurred_at": at_ms} | optional
    )


def test_events_share_no_fields() -> None:
    """Two events of which the last fields are the same bytes have their fields to themselves."""
    quick = EventDecoder(EMAIL_OPENS, decoders(EMAIL_OPENS)[0]._schemas)
    for _ in range(4):
        event = quick.decode(email_open(1, message_id="m", channel="email"))
        assert event.fields == {"message_id": "m", "channel": "email"}
        event.fields["channel"] = "changed"


def test_fields_that_are_not_kept_are_left_out() -> None:
    """Once a schema is known, an event has those of its fields that are asked for."""
    schemas = decoders(EMAIL_OPENS)[0]._schemas
    lean = EventDecoder(EMAIL_OPENS, schemas, kept=frozenset(["channel"]))
    value = email_open(1, message_id="m", channel="email")
    lean.decode(value)
    assert lean.decode(value).fields == {"channel": "email"}


@pytest.mark.parametrize("topic", INPUT_TOPICS)
def test_ordinary_values_go_the_quick_way(topic: str) -> None:
    """Once a schema is known, the plain way is not asked for what nothing is odd about."""
    quick, _, _ = decoders(topic)
    for number, schema in enumerate(versions(topic)):
        names = [each["name"] for each in schema["fields"]]
        record = dict.fromkeys(names) | {"event_id": "e", "lead_id": "l", "occurred_at": 1}
        extra = {"extra0": 0.5, "extra2": "BAD", "extra3": b"four", "extra4": {"a": [{"b": 0.5}]}}
        record |= extra | {"extra5": {"lead_id": "x"}, "fields": {"a": 1}}
        record = {name: record[name] for name in names}
        if schema["fields"][1]["type"] == "bytes":
            record["lead_id"] = b"l"
        value = encoded(number, schema, record)
        event = quick.decode(value)
        reader = quick._readers[number]
        assert event.profile == ({"a": 1} if topic == FORM_FILLS and "fields" in names else {})
        if schema["fields"][1]["type"] == "bytes" or (topic == FORM_FILLS and number == 5):
            assert reader is None, "another type is read by the rules of Avro"
        else:
            assert reader is not None
            assert reader.read(value) == event
