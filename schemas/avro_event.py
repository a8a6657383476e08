"""Reads events from the bytes of an input topic, without a record between the two."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, final

from mypy_extensions import mypyc_attr

from schemas import framing
from schemas.avro_cursor import Cursor, truncated
from schemas.avro_reader import fields
from schemas.events import (
    EVENT_TYPES,
    EventLimits,
    check_id,
    check_profile,
    check_time,
    check_value,
    own_fields,
)
from schemas.topics import FORM_FILLS
from schemas.value_readers import Field, ValueReader
from scoring.event import NO_FIELDS, Event


@final
class AvroEventReader:
    """Reads the events that one writer's schema describes.

    Parameters
    ----------
    topic : str
        An input topic.
    schema : mapping
        The writer's; the fields that it shares with the topic's contract have the same types.
    limits : EventLimits
    kept : frozenset of str or None
        The topic's own fields that events get; others are only checked. None: all.
    """

    __slots__ = ("_steps", "_type")

    def __init__(
        self,
        topic: str,
        schema: Mapping[str, Any],
        limits: EventLimits,
        kept: frozenset[str] | None,
    ) -> None:
        self._type: Final = EVENT_TYPES[topic]
        self._steps: Final = [_step(topic, field, limits, kept) for field in fields(schema)]

    def read(self, value: bytes) -> Event:
        """Read one framed value.

        Raises
        ------
        Undecodable
            When anything is wrong with it; of several things, any.
        """
        cursor = Cursor(value, framing.HEAD_BYTES)
        parts = _Parts()
        try:
            for step in self._steps:
                step.read(cursor, parts)
        except IndexError as error:
            raise truncated("within a number") from error
        cursor.check_end()
        return Event(
            self._type,
            parts.event_id,
            parts.lead_id,
            parts.occurred_at_ms,
            parts.machine,
            parts.fields,
            parts.profile,
        )


@mypyc_attr(acyclic=True, free_list_len=1)
@final
class _Parts:
    """What has been read of an event."""

    __slots__ = ("event_id", "fields", "lead_id", "machine", "occurred_at_ms", "profile")

    def __init__(self) -> None:
        self.event_id = ""
        self.lead_id = ""
        self.occurred_at_ms = 0
        self.machine: Any = None
        self.fields = NO_FIELDS
        self.profile: Any = NO_FIELDS

    def keep(self, name: str, value: Any) -> None:
        if self.fields is NO_FIELDS:
            self.fields = {name: value}
        else:
            self.fields[name] = value


class _Step(ABC):
    """Reads one field of the wire into its part."""

    __slots__ = ()

    @abstractmethod
    def read(self, cursor: Cursor, parts: _Parts) -> None: ...


@final
class _EventId(_Step):
    __slots__ = ("_limits",)

    def __init__(self, limits: EventLimits) -> None:
        self._limits: Final = limits

    def read(self, cursor: Cursor, parts: _Parts) -> None:
        event_id = cursor.text()
        check_id(event_id, "event_id", self._limits)
        parts.event_id = event_id


@final
class _LeadId(_Step):
    __slots__ = ("_limits",)

    def __init__(self, limits: EventLimits) -> None:
        self._limits: Final = limits

    def read(self, cursor: Cursor, parts: _Parts) -> None:
        lead_id = cursor.text()
        check_id(lead_id, "lead_id", self._limits)
        parts.lead_id = lead_id


@final
class _Time(_Step):
    __slots__ = ()

    def read(self, cursor: Cursor, parts: _Parts) -> None:
        parts.occurred_at_ms = cursor.long()
        check_time(parts.occurred_at_ms)


@final
class _Machine(_Step):
    __slots__ = ("_reader",)

    def __init__(self, reader: ValueReader) -> None:
        self._reader: Final = reader

    def read(self, cursor: Cursor, parts: _Parts) -> None:
        parts.machine = self._reader.read(cursor)


@final
class _OwnField(_Step):
    __slots__ = ("_is_kept", "_limits", "_name", "_reader")

    def __init__(self, field: Field, limits: EventLimits, *, is_kept: bool) -> None:
        self._is_kept: Final = is_kept
        self._name: Final = field.name
        self._reader: Final = field.reader
        self._limits: Final = limits

    def read(self, cursor: Cursor, parts: _Parts) -> None:
        value = self._reader.read(cursor)
        if value is not None:
            check_value(value, self._name, self._limits)
            if self._is_kept:
                parts.keep(self._name, value)


@final
class _Profile(_Step):
    __slots__ = ("_limits", "_reader")

    def __init__(self, reader: ValueReader, limits: EventLimits) -> None:
        self._reader: Final = reader
        self._limits: Final = limits

    def read(self, cursor: Cursor, parts: _Parts) -> None:
        parts.profile = self._reader.read(cursor)
        check_profile(parts.profile, self._limits)


@final
class _Unused(_Step):
    __slots__ = ("_reader",)

    def __init__(self, reader: ValueReader) -> None:
        self._reader: Final = reader

    def read(self, cursor: Cursor, parts: _Parts) -> None:  # noqa: ARG002  # it is no part
        self._reader.skip(cursor)


def _step(  # noqa: PLR0911  # a table of fields
    topic: str, field: Field, limits: EventLimits, kept: frozenset[str] | None
) -> _Step:
    match field.name:
        case "event_id":
            return _EventId(limits)
        case "lead_id":
            return _LeadId(limits)
        case "occurred_at":
            return _Time()
        case "machine":
            return _Machine(field.reader)
        case "fields" if topic == FORM_FILLS:
            return _Profile(field.reader, limits)
        case name if name in own_fields(topic):
            return _OwnField(field, limits, is_kept=kept is None or name in kept)
        case _:
            return _Unused(field.reader)
