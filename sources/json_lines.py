"""Events as JSON, one a line: what `leadvelocity send` takes."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from schemas.contracts import contract
from schemas.dead_letter_reason import Undecodable
from schemas.events import DEFAULT_LIMITS, TOPICS, EventLimits, read_event
from scoring.event import Event, EventType
from sources.lines import numbered_lines

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SURROGATE = re.compile("[\ud800-\udfff]")
_REQUIRED = ("event_id", "lead_id", "occurred_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is no event.

    Parameters
    ----------
    line : int
        Its number, from 1.
    field : str or None
        The field at fault; None when it is the line as a whole.
    reason : str
        What is wrong with it, and what to do.
    """

    line: int
    field: str | None
    reason: str

    def __str__(self) -> str:
        place = "" if self.field is None else f", field {self.field!r}"
        return f"line {self.line}{place}: {self.reason}"


class _Problem(ValueError):
    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


def read_events(
    stream: BinaryIO,
    *,
    line_bytes_max: int = 1 << 20,
    limits: EventLimits = DEFAULT_LIMITS,
) -> Iterator[Event | BadLine]:
    """Yield what each line of a stream tells, as far as it is taken; blank lines are passed over.

    Parameters
    ----------
    stream : binary file
        UTF-8, one JSON object a line.
    line_bytes_max : int
        Longest line.
    limits : EventLimits
    """
    for line, content in numbered_lines(stream, line_bytes_max=line_bytes_max):
        if content is None:
            reason = f"longer than {line_bytes_max} bytes"
            yield BadLine(line=line, field=None, reason=reason)
        elif content and not content.isspace():
            yield read_line(content, line, limits=limits)


def read_line(
    content: bytes, line: int, *, limits: EventLimits = DEFAULT_LIMITS
) -> Event | BadLine:
    """Return the event that a line tells of, or what is wrong with the line.

    Parameters
    ----------
    content : bytes
        One JSON object.
    line : int
        Its number, for the message.
    limits : EventLimits
    """
    try:
        values = _object(content)
        topic = TOPICS[_event_type(values.pop("type", None))]
        return read_event(topic, _record(topic, values), limits)
    except _Problem as problem:
        return BadLine(line=line, field=problem.field, reason=problem.reason)
    except Undecodable as problem:
        return BadLine(line=line, field=problem.field, reason=problem.text)


def _object(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Problem(f"not UTF-8 at byte {error.start + 1}") from error
    try:
        values = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except _Problem:
        raise
    except json.JSONDecodeError as error:
        raise _Problem(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise _Problem("nested too deep") from error
    except ValueError as error:  # a number with thousands of digits
        raise _Problem(f"not JSON that can be read: {error}") from error
    if not isinstance(values, dict):
        raise _Problem("not a JSON object")
    return values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Problem("stands there twice", twice)
    return values


def _no_constant(name: str) -> None:
    raise _Problem(f"{name} is no JSON")


def _event_type(value: object) -> EventType:
    known = ", ".join(EventType)
    if value is None:
        raise _Problem(f"missing: one of {known}", "type")
    if not isinstance(value, str) or value not in list(EventType):
        raise _Problem(f"unknown type {_shown(value)}: one of {known}", "type")
    return EventType(value)


def _record(topic: str, values: Mapping[str, Any]) -> dict[str, Any]:
    fields = {each["name"]: each for each in contract(topic).schema["fields"]}
    for name in values:
        if name not in fields:
            raise _Problem(f"unknown: one of type, {', '.join(fields)}", name)
    for name in _REQUIRED:
        if values.get(name) is None:
            raise _Problem("missing", name)
    record: dict[str, Any] = {}
    for name, each in fields.items():
        value = values.get(name)
        if name == "occurred_at":
            record[name] = _time_ms(value)
        elif name == "fields":
            record[name] = {} if value is None else _scalars(value)
        else:
            record[name] = _typed(name, each["type"], value)
    return record


def _time_ms(value: object) -> int:
    if type(value) is int:
        return value
    if not isinstance(value, str):
        reason = f"{_shown(value)} is neither ISO 8601 nor whole epoch milliseconds"
        raise _Problem(reason, "occurred_at")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        reason = f"{_shown(value)} is not ISO 8601, as 2026-11-23T09:30:00.250Z"
        raise _Problem(reason, "occurred_at") from error
    if moment.tzinfo is None:
        reason = f"{_shown(value)} has no time zone: add Z for UTC, or an offset"
        raise _Problem(reason, "occurred_at")
    return (moment - _EPOCH) // _MILLISECOND


def _typed(name: str, avro: str | list[str], value: object) -> object:
    if value is None:
        return None
    if "string" in avro:
        if not isinstance(value, str):
            raise _Problem(f"{_shown(value)} is not a text", name)
        return _text(name, value)
    if "boolean" in avro:
        if not isinstance(value, bool):
            raise _Problem(f"{_shown(value)} is neither true, false nor null", name)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Problem(f"{_shown(value)} is not a number", name)
    try:
        return float(value)
    except OverflowError as error:
        raise _Problem("too large a number", name) from error


def _scalars(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Problem(f"{_shown(value)} is not a JSON object", "fields")
    for name, each in value.items():
        _text("fields", name)
        if isinstance(each, dict | list):
            raise _Problem("a text, number, true, false or null is taken", f"fields.{name}")
        if isinstance(each, str):
            _text(f"fields.{name}", each)
    return value


def _text(name: str, value: str) -> str:
    if _SURROGATE.search(value):
        raise _Problem("has half of a surrogate pair", name)
    return value


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  fits a line
