"""Events as JSON lines."""

import io
import json
from typing import Any

import pytest

from schemas.events import event_record, read_event
from scoring.event import Event, EventType, Scalar
from sources.json_lines import BadLine, read_events, read_line

ENVELOPE = {"event_id": "e-1", "lead_id": "lead-1", "occurred_at": "2026-11-23T09:30:00.253Z"}
AT_MS = 1_795_426_200_253
VISIT = {"type": "website_visit", **ENVELOPE}
FILL = {"type": "form_fill", **ENVELOPE}


def read(value: Any) -> Event | BadLine:
    return read_line(json.dumps(value).encode(), 1)


def event(value: Any) -> Event:
    result = read(value)
    assert isinstance(result, Event), result
    return result


def bad(content: bytes) -> tuple[str | None, str]:
    result = read_line(content, 12)
    assert isinstance(result, BadLine), result
    assert str(result).startswith("line 12")
    return result.field, result.reason


def test_website_visit() -> None:
    """A visit is read with every field that it may have."""
    own: dict[str, Scalar] = {
        "url": "/pricing",
        "referrer": "https://example.org/",
        "duration_s": 12.0,
        "user_agent": "Mozilla/5.0",
        "campaign": "spring",
        "channel": "website",
    }
    assert event({**VISIT, **own, "machine": False}) == Event(
        type=EventType.WEBSITE_VISIT,
        event_id="e-1",
        lead_id="lead-1",
        occurred_at_ms=AT_MS,
        machine=False,
        fields=own,
        profile={},
    )


def test_email_open() -> None:
    """An open is read with its message and campaign, and with who opened it."""
    own = {"message_id": "m", "campaign_id": "c", "user_agent": "a"}
    for machine in (True, False, None):
        opened = event({"type": "email_open", **ENVELOPE, **own, "machine": machine})
        assert (opened.type, opened.fields, opened.machine) == (EventType.EMAIL_OPEN, own, machine)


def test_form_fill() -> None:
    """A form's answers keep their types."""
    answers = {"company": "Zoë", "seats": 200, "share": 200.0, "trial": True, "vat": None}
    filled = event({**FILL, "form_id": "demo", "fields": answers})
    assert filled.fields == {"form_id": "demo"}
    assert filled.profile == answers
    assert [type(each) for each in filled.profile.values()] == [
        type(each) for each in answers.values()
    ]


@pytest.mark.parametrize("value", [VISIT, FILL, {**FILL, "fields": None, "form_id": None}])
def test_optional_fields(value: dict[str, Any]) -> None:
    """What is optional may be missing or null."""
    assert event(value).fields == {}
    assert event(value).machine is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (AT_MS, AT_MS),
        (0, 0),
        ("2026-11-23T09:30:00.253Z", AT_MS),
        ("2026-11-23T09:30:00.253+00:00", AT_MS),
        ("2026-11-23T15:00:00.253+05:30", AT_MS),
        ("2026-11-22T21:30:00.253-12:00", AT_MS),
        ("2026-11-23 09:30:00.253999Z", AT_MS),
        ("20261123T093000.25Z", AT_MS - 3),
        ("2026-11-23T09:30Z", AT_MS - 253),
    ],
)
def test_occurred_at(given: Any, expected: int) -> None:
    """A time is ISO 8601 with a zone, or epoch milliseconds; what is finer is cut off."""
    assert event({**VISIT, "occurred_at": given}).occurred_at_ms == expected


def test_same_as_over_the_wire() -> None:
    """An event from a line is the one that the worker reads from the topic."""
    sent = event({**VISIT, "duration_s": 3, "url": "/a"})
    topic, record = event_record(sent)
    assert read_event(topic, record) == sent
    assert isinstance(record["duration_s"], float)


@pytest.mark.parametrize(
    ("content", "field", "says"),
    [
        (b"{", None, "not JSON"),
        (b"[]", None, "not a JSON object"),
        (b"7", None, "not a JSON object"),
        (b'{"type": "website_visit"}{}', None, "not JSON"),
        (b"\xff", None, "not UTF-8"),
        (b"[" * 100_000, None, "nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", None, "digits"),
        (b'{"a": NaN}', None, "NaN"),
        (b'{"a": -Infinity}', None, "Infinity"),
        (b'{"type": 1, "type": 2}', "type", "twice"),
        (b'{"fields": {"a": 1, "a": 1}}', "a", "twice"),
        (b"{}", "type", "missing"),
        (b'{"type": "visit"}', "type", "website_visit, email_open, form_fill"),
        (b'{"type": ["website_visit"]}', "type", "unknown"),
        (b'{"type": {}}', "type", "unknown"),
        (b'{"type": "website_visit"}', "event_id", "missing"),
    ],
)
def test_bad_line(content: bytes, field: str | None, says: str) -> None:
    """A line that is no event is named with its number, the field and what is wrong."""
    found, reason = bad(content)
    assert found == field
    assert says in reason


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"event_id": None}, "event_id", "missing"),
        ({"lead_id": ""}, "lead_id", "empty"),
        ({"lead_id": 5}, "lead_id", "not a text"),
        ({"lead_id": "a\x00"}, "lead_id", "control"),
        ({"event_id": "x" * 257}, "event_id", "256"),
        ({"occurred_at": None}, "occurred_at", "missing"),
        ({"occurred_at": "yesterday"}, "occurred_at", "ISO 8601"),
        ({"occurred_at": "2026-11-23T09:30:00"}, "occurred_at", "add Z"),
        ({"occurred_at": "2026-11-23"}, "occurred_at", "add Z"),
        ({"occurred_at": "1960-01-01T00:00:00Z"}, "occurred_at", "not within"),
        ({"occurred_at": 1.5}, "occurred_at", "whole"),
        ({"occurred_at": True}, "occurred_at", "whole"),
        ({"occurred_at": 2**53}, "occurred_at", "not within"),
        ({"occurred_at": {}}, "occurred_at", "whole"),
        ({"url": 5}, "url", "not a text"),
        ({"url": "\ud800"}, "url", "surrogate"),
        ({"url": "x" * 8193}, "url", "8192"),
        ({"duration_s": "5"}, "duration_s", "not a number"),
        ({"duration_s": True}, "duration_s", "not a number"),
        ({"duration_s": 10**400}, "duration_s", "too large"),
        ({"machine": 1}, "machine", "neither"),
        ({"machine": "true"}, "machine", "neither"),
        ({"form_id": "demo"}, "form_id", "unknown"),
        ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_bad_field(change: dict[str, Any], field: str, says: str) -> None:
    """A field with a wrong type, out of its limits or unknown is named."""
    found, reason = bad(json.dumps({**VISIT, **change}).encode())
    assert found == field
    assert says in reason


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ([], "fields"),
        ("company", "fields"),
        ({"a": {}}, "fields.a"),
        ({"a": [1]}, "fields.a"),
        ({"a": 2**63}, "fields.a"),
        ({"a": "\udc00"}, "fields.a"),
        ({"\udc00": 1}, "fields"),
        ({f"f{number}": 1 for number in range(257)}, "fields"),
    ],
)
def test_bad_answers(fields: Any, field: str) -> None:
    """A form's answers are an object of plain values that fit the contract."""
    assert bad(json.dumps({**FILL, "fields": fields}).encode())[0] == field


def test_too_large_to_be_a_number() -> None:
    """A number that only fits infinity is refused."""
    line = json.dumps({**FILL, "fields": {"a": 0}}).replace('"a": 0', '"a": 1e999')
    assert bad(line.encode())[0] == "fields.a"


def test_stream() -> None:
    """Lines are counted from 1, blank ones too; a bad one does not hide its neighbours."""
    good = json.dumps(VISIT).encode()
    content = b"\n".join([b"\xef\xbb\xbf" + good, b"", b"  ", b"{", good + b"\r", b"x" * 500, good])
    results = list(read_events(io.BytesIO(content), line_bytes_max=400))
    assert [isinstance(each, Event) for each in results] == [True, False, True, False, True]
    assert [each.line for each in results if isinstance(each, BadLine)] == [4, 6]
