"""Input records to events, and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from schemas.contracts import contract
from schemas.dead_letter_reason import DeadLetterReason, Undecodable
from schemas.topics import EMAIL_OPENS, FORM_FILLS, WEBSITE_VISITS
from scoring.event import Event, EventType, Scalar

EVENT_TYPES = {
    WEBSITE_VISITS: EventType.WEBSITE_VISIT,
    EMAIL_OPENS: EventType.EMAIL_OPEN,
    FORM_FILLS: EventType.FORM_FILL,
}
TOPICS = {event_type: topic for topic, event_type in EVENT_TYPES.items()}

OCCURRED_AT_MS_MAX: Final = 2**53 - 1
"""The largest time that every client, JavaScript's too, holds exactly."""

_ENVELOPE = frozenset(("event_id", "lead_id", "occurred_at", "machine", "fields"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BAD_IDS = {"lead_id": DeadLetterReason.BAD_LEAD_ID, "event_id": DeadLetterReason.BAD_EVENT_ID}
_INT64_ABOVE: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLimits:
    """How large an event may be.

    Parameters
    ----------
    id_chars_max : int
        Length of a lead's or event's id.
    field_chars_max : int
        Length of any other text, and of the names of form fields.
    profile_fields_max : int
        Number of form fields.
    """

    id_chars_max: int = 256
    field_chars_max: int = 8192
    profile_fields_max: int = 256


DEFAULT_LIMITS = EventLimits()


@cache
def own_fields(topic: str) -> tuple[str, ...]:
    """Return the names of an input topic's own fields: those that an event has in `fields`."""
    return tuple(name for name in contract(topic).field_names if name not in _ENVELOPE)


def read_event(
    topic: str, record: Mapping[str, Any], limits: EventLimits = DEFAULT_LIMITS
) -> Event:
    """Take an event out of a record of an input topic that has its contract's fields and types.

    Raises
    ------
    Undecodable
        When an id is empty, too long or has control characters, the time is out of range, or a
        field is too long or no number.
    """
    lead_id, event_id, at_ms = record["lead_id"], record["event_id"], record["occurred_at"]
    check_id(lead_id, "lead_id", limits)
    check_id(event_id, "event_id", limits)
    check_time(at_ms)
    fields: dict[str, Scalar] = {}
    for name in own_fields(topic):
        value = record[name]
        if value is not None:
            check_value(value, name, limits)
            fields[name] = value
    profile: dict[str, Scalar] = record["fields"] if topic == FORM_FILLS else {}
    check_profile(profile, limits)
    return Event(EVENT_TYPES[topic], event_id, lead_id, at_ms, record["machine"], fields, profile)


def event_record(event: Event) -> tuple[str, dict[str, object]]:
    """Return the topic and the record of an event; `read_event` is its inverse."""
    topic = TOPICS[event.type]
    record: dict[str, object] = dict.fromkeys(own_fields(topic))
    record |= event.fields
    record |= {
        "event_id": event.event_id,
        "lead_id": event.lead_id,
        "occurred_at": event.occurred_at_ms,
        "machine": event.machine,
    }
    if event.type is EventType.FORM_FILL:
        record["fields"] = dict(event.profile)
    return topic, record


def check_id(value: str, name: str, limits: EventLimits) -> None:
    """Refuse a lead's or event's id that is empty, too long or has control characters."""
    if 0 < len(value) <= limits.id_chars_max and value.isprintable():
        return
    reason = _BAD_IDS[name]
    if not value:
        raise Undecodable(reason, f"{name} is empty", field=name)
    if len(value) > limits.id_chars_max:
        text = f"{name} has {len(value)} characters, at most {limits.id_chars_max}"
        raise Undecodable(reason, text, field=name)
    if _CONTROL.search(value):
        raise Undecodable(reason, f"{name} has control characters", field=name)


def check_time(at_ms: int) -> None:
    """Refuse a time, in UTC epoch milliseconds, that is before 1970 or not exact everywhere."""
    if not 0 <= at_ms <= OCCURRED_AT_MS_MAX:
        text = f"occurred_at {at_ms} is not within 0 and {OCCURRED_AT_MS_MAX} ms"
        raise Undecodable(DeadLetterReason.BAD_VALUE, text, field="occurred_at")


def check_value(value: object, name: str, limits: EventLimits) -> None:
    """Refuse a field's value that is too long, no number, or too large for 64 bits."""
    problem = _problem(value, limits)
    if problem is not None:
        raise Undecodable(DeadLetterReason.BAD_VALUE, f"{name} {problem}", field=name)


def check_profile(profile: dict[str, Scalar], limits: EventLimits) -> None:
    """Refuse form fields that are too many, or of which one is not good."""
    if len(profile) > limits.profile_fields_max:
        text = f"fields has {len(profile)} entries, at most {limits.profile_fields_max}"
        raise Undecodable(DeadLetterReason.BAD_VALUE, text, field="fields")
    for name, value in profile.items():
        check_value(name, "a name in fields", limits)
        if _problem(value, limits) is not None:
            check_value(value, f"fields.{name[:80]}", limits)


def _problem(value: object, limits: EventLimits) -> str | None:
    if isinstance(value, str):
        if len(value) > limits.field_chars_max:
            return f"has {len(value)} characters, at most {limits.field_chars_max}"
    elif isinstance(value, float):
        if value - value != 0:  # infinite, or not a number
            return f"is {value}"
    elif isinstance(value, int) and not -_INT64_ABOVE <= value < _INT64_ABOVE:
        return "does not fit 64 bits"
    return None
