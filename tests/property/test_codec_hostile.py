"""Whatever bytes and schemas arrive, reading them ends soon, and in one way only."""

import json
import time
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import framing
from schemas.contracts import contract
from schemas.dead_letter_reason import Undecodable
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.events import read_event
from schemas.topics import EMAIL_OPENS, FORM_FILLS, INPUT_TOPICS, OUTPUT_TOPICS
from scoring.event import Event
from sources.access_log import Skipped, Unparsable
from sources.access_log import read_line as read_log_line
from sources.json_lines import BadLine, read_line

SECONDS_MAX = 2.0
"""Much more than any of it takes, and much less than for ever."""

FILL = {
    "event_id": "e-2",
    "lead_id": "lead-1",
    "occurred_at": 1_700_000_000_123,
    "form_id": "demo",
    "fields": {"company": "Zoë", "seats": 12, "share": 0.5, "trial": True, "vat": None},
    "user_agent": "Mozilla/5.0",
    "campaign": None,
    "channel": None,
    "machine": False,
}


@cache
def decoder(topic: str) -> Decoder:
    schemas = WriterSchemas()
    schemas.learn(1, contract(topic).text)
    return Decoder(contract(topic), schemas)


def read(topic: str, value: bytes) -> None:
    began = time.process_time()
    with suppress(Undecodable):
        record = decoder(topic).decode(value)
        if topic in INPUT_TOPICS:
            read_event(topic, record)
    assert time.process_time() - began < SECONDS_MAX


@pytest.mark.parametrize("topic", INPUT_TOPICS + OUTPUT_TOPICS)
@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200))
def test_random_bytes(topic: str, body: bytes) -> None:
    """Random bytes after a good head are a record or undecodable, soon."""
    read(topic, framing.head(1) + body)


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_damaged_bytes(data: st.DataObject) -> None:
    """A good value with a few bytes changed, added or lost is a record or undecodable, soon."""
    value = bytearray(Encoder(contract(FORM_FILLS), 1).encode(FILL))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(framing.HEAD_BYTES, len(value)))
        value[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=10))
    read(FORM_FILLS, bytes(value))


@pytest.mark.parametrize("filler", [b"\x00", b"\x01", b"\x02", b"\x7f", b"\x80", b"\xff"])
@pytest.mark.parametrize("topic", INPUT_TOPICS + OUTPUT_TOPICS)
def test_a_million_of_one_byte(topic: str, filler: bytes) -> None:
    """A value as long as can be is read or refused soon."""
    read(topic, framing.head(1) + filler * ((1 << 20) - framing.HEAD_BYTES))


@pytest.mark.parametrize(
    "nothing",
    [
        "null",
        {"type": "fixed", "name": "Nothing", "size": 0},
        {"type": "record", "name": "Nothing", "fields": [{"name": "no", "type": "null"}]},
    ],
)
def test_much_of_nothing(nothing: Any) -> None:
    """A schema that makes thousands of values of no byte takes no longer than the bytes do."""
    named = nothing if isinstance(nothing, str) else nothing["name"]
    kinds = [nothing, *[named] * 3_000]
    schema = json.loads(contract(EMAIL_OPENS).text)
    parts = [{"name": f"f{number}", "type": kind} for number, kind in enumerate(kinds)]
    values = {"type": "record", "name": "Many", "fields": parts}
    schema["fields"] = [
        *schema["fields"][:3],
        {"name": "e", "type": {"type": "map", "values": values}},
    ]
    schemas = WriterSchemas()
    schemas.learn(2, json.dumps(schema))
    began = time.process_time()
    entries = b"\x80\xf1\x04" + bytes(40_000) + b"\x00"
    record = Decoder(contract(EMAIL_OPENS), schemas).decode(
        framing.head(2) + b"\x02e\x02l\x02" + entries
    )
    assert record["event_id"] == "e"
    assert time.process_time() - began < SECONDS_MAX


NAMES = st.sampled_from(["WebsiteVisit", "EmailOpen", "A", "B", "event_id", "lead_id", ""])
TYPES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["null", "boolean", "int", "long", "double", "string", "A", "EmailOpen", 3]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"type": st.just("map"), "values": inner}),
        st.fixed_dictionaries({"type": inner}),
        st.fixed_dictionaries(
            {"type": st.just("fixed"), "name": NAMES, "size": st.integers(-1, 3)}
        ),
        st.fixed_dictionaries(
            {"type": st.just("enum"), "name": NAMES, "symbols": st.lists(NAMES, max_size=3)}
        ),
        st.fixed_dictionaries(
            {
                "type": st.just("record"),
                "name": NAMES,
                "fields": st.lists(
                    st.fixed_dictionaries({"name": NAMES, "type": inner}), max_size=4
                ),
            }
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(extra=TYPES, body=st.binary(max_size=60))
def test_random_schemas(extra: Any, body: bytes) -> None:
    """A schema with anything in it is learnt or found unsafe, and reading with it ends soon."""
    schema = json.loads(contract(EMAIL_OPENS).text)
    schema["fields"] = [*schema["fields"][:3], {"name": "extra", "type": extra}]
    good = b"\x02e\x02l\x02"
    schemas = WriterSchemas()
    began = time.process_time()
    schemas.learn(2, json.dumps(schema))
    schemas.learn(3, json.dumps(extra))
    reads = Decoder(contract(EMAIL_OPENS), schemas)
    for value in (framing.head(2) + good + body, framing.head(3) + body):
        with suppress(Undecodable):
            reads.decode(value)
    assert time.process_time() - began < SECONDS_MAX


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=100),
        st.text(max_size=100).map(str.encode),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["type", "event_id", "lead_id", "occurred_at", "fields", "url"]
                    ),
                    inner | st.just("form_fill"),
                    max_size=5,
                )
            ),
            max_leaves=10,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_random_lines(content: bytes) -> None:
    """Any line is an event or a bad line with a reason."""
    result = read_line(content, 1)
    assert isinstance(result, Event) or (isinstance(result, BadLine) and result.reason)
    assert isinstance(read_log_line(content, 1, salt=b"s"), Event | Skipped | Unparsable)
