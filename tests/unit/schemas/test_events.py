"""Records to events, and back."""

from typing import Any

import pytest

from schemas.dead_letter_reason import DeadLetterReason as Reason
from schemas.dead_letter_reason import Undecodable
from schemas.events import OCCURRED_AT_MS_MAX, EventLimits, event_record, read_event
from schemas.topics import FORM_FILLS, WEBSITE_VISITS
from scoring.event import Event, EventType

FILL: dict[str, Any] = {
    "event_id": "e-2",
    "lead_id": "Zoë 1",
    "occurred_at": 1_700_000_000_123,
    "form_id": "demo",
    "fields": {"company": "Zoë & Sons", "seats": 12, "vat": None},
    "user_agent": None,
    "campaign": None,
    "channel": "website",
    "machine": False,
}
VISIT: dict[str, Any] = {
    "event_id": "e-1",
    "lead_id": "lead-1",
    "occurred_at": 0,
    "url": "/pricing",
    "referrer": None,
    "duration_s": None,
    "user_agent": None,
    "campaign": None,
    "channel": None,
    "machine": None,
}


def problem(topic: str, record: dict[str, Any]) -> tuple[Reason, str | None]:
    with pytest.raises(Undecodable) as caught:
        read_event(topic, record)
    return caught.value.reason, caught.value.field


def test_form_fill() -> None:
    """A form's answers are the lead's profile, its other fields are the event's own."""
    assert read_event(FORM_FILLS, FILL) == Event(
        type=EventType.FORM_FILL,
        event_id="e-2",
        lead_id="Zoë 1",
        occurred_at_ms=1_700_000_000_123,
        machine=False,
        fields={"form_id": "demo", "channel": "website"},
        profile={"company": "Zoë & Sons", "seats": 12, "vat": None},
    )


def test_absent_fields_are_left_out() -> None:
    """A field that is null is no field of the event."""
    event = read_event(WEBSITE_VISITS, VISIT)
    assert event.fields == {"url": "/pricing"}
    assert event.machine is None
    assert event.profile == {}


@pytest.mark.parametrize(("topic", "record"), [(WEBSITE_VISITS, VISIT), (FORM_FILLS, FILL)])
def test_way_back(topic: str, record: dict[str, Any]) -> None:
    """An event goes back to the topic and the record that it came from."""
    assert event_record(read_event(topic, record)) == (topic, record)


@pytest.mark.parametrize("name", ["lead_id", "event_id"])
@pytest.mark.parametrize("value", ["", "x" * 257, "a\x00b", "a\nb", "a\x7fb", "a\x85b", "\ud800"])
def test_bad_id(name: str, value: str) -> None:
    """An id that is empty, too long or has control characters is refused."""
    expected = Reason.BAD_LEAD_ID if name == "lead_id" else Reason.BAD_EVENT_ID
    assert problem(WEBSITE_VISITS, VISIT | {name: value}) == (expected, name)


@pytest.mark.parametrize("value", ["x", "x" * 256, " ", "名前", "a\u200bb", "a\u00a0b"])
def test_good_id(value: str) -> None:
    """Any other text is an id just as it stands."""
    assert read_event(WEBSITE_VISITS, VISIT | {"lead_id": value}).lead_id == value


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"occurred_at": -1}, "occurred_at"),
        ({"occurred_at": OCCURRED_AT_MS_MAX + 1}, "occurred_at"),
        ({"url": "x" * 8193}, "url"),
        ({"duration_s": float("nan")}, "duration_s"),
        ({"duration_s": float("inf")}, "duration_s"),
    ],
)
def test_bad_value(change: dict[str, Any], name: str) -> None:
    """A time out of range, a text too long and a number that is none are refused by name."""
    assert problem(WEBSITE_VISITS, VISIT | change) == (Reason.BAD_VALUE, name)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({f"f{number}": 1 for number in range(257)}, "fields"),
        ({"x" * 8193: 1}, "a name in fields"),
        ({"seats": float("-inf")}, "fields.seats"),
        ({"seats": 2**63}, "fields.seats"),
        ({"note": "x" * 8193}, "fields.note"),
    ],
)
def test_bad_profile(fields: dict[str, Any], name: str) -> None:
    """A form with too many or too long answers, or numbers that are none, is refused by name."""
    assert problem(FORM_FILLS, FILL | {"fields": fields}) == (Reason.BAD_VALUE, name)


def test_limits_are_settings() -> None:
    """Each limit can be set."""
    limits = EventLimits(id_chars_max=3, field_chars_max=3, profile_fields_max=0)
    small = VISIT | {"lead_id": "abc", "event_id": "abc", "url": "/ab"}
    assert read_event(WEBSITE_VISITS, small, limits)
    for name in ("lead_id", "event_id", "url"):
        with pytest.raises(Undecodable):
            read_event(WEBSITE_VISITS, small | {name: "abcd"}, limits)
    fill = FILL | {"lead_id": "abc", "form_id": None, "channel": None, "fields": {"a": 1}}
    with pytest.raises(Undecodable):
        read_event(FORM_FILLS, fill, limits)
