"""Reads input records into events, or says why it cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.burial import Unreadable
from agents.records import Record
from agents.reducer import Arrival
from agents.rerouting import Origin, origin_of
from agents.schema_lookup import SchemaLookup
from schemas.dead_letter_reason import DeadLetterReason, Undecodable
from schemas.event_decoding import EventDecoder
from scoring.event import Event
from scoring.merge import AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came of an input record, and where it came from first."""

    origin: Origin
    content: Event | Unreadable


class EventReader:
    """Decodes the input topics.

    Parameters
    ----------
    decoders : mapping of str to EventDecoder
        By input topic.
    schemas : SchemaLookup
        Of the decoders.
    future_ms_max : int
        An event later than its append time by more is refused.
    record_bytes_max : int
        A record whose value, key and headers have more is refused unread. The broker's own limit
        is for compressed batches.
    """

    def __init__(
        self,
        decoders: Mapping[str, EventDecoder],
        schemas: SchemaLookup,
        *,
        future_ms_max: int,
        record_bytes_max: int,
    ) -> None:
        self._decoders = decoders
        self._schemas = schemas
        self._future_ms_max = future_ms_max
        self._record_bytes_max = record_bytes_max

    async def prepare(self, records: Sequence[Record]) -> None:
        """Look up the schemas of `records`; waits while the registry is away."""
        await self._schemas.prepare(records)

    def read(self, record: Record) -> Arrival[Received]:
        """Read one record; its time is event time, or at once for what is no event."""
        origin = origin_of(record)
        content: Event | Unreadable
        try:
            _check_size(record, self._record_bytes_max)
            event = self._event(origin, record.value)
        except Undecodable as error:
            content, time_ms = Unreadable(reason=error.reason, text=str(error)), AT_ONCE
        else:
            content, time_ms = event, event.occurred_at_ms
            ahead_ms = event.occurred_at_ms - origin.timestamp_ms
            if ahead_ms > self._future_ms_max:
                content = Unreadable(
                    reason=DeadLetterReason.FUTURE_EVENT,
                    text=f"occurred_at is {ahead_ms} ms after it was appended; "
                    f"at most {self._future_ms_max} ms are taken",
                )
        return Arrival(
            record=record, content=Received(origin=origin, content=content), time_ms=time_ms
        )

    def _event(self, origin: Origin, value: bytes | None) -> Event:
        decoder = self._decoders.get(origin.topic)
        if decoder is None:
            raise Undecodable(DeadLetterReason.WRONG_SCHEMA, f"no input topic: {origin.topic!r}")
        return decoder.decode(value)


def _check_size(record: Record, bytes_max: int) -> None:
    size = len(record.value or b"") + len(record.key or b"")
    size += sum(len(name) + len(value or b"") for name, value in record.headers)
    if size > bytes_max:
        raise Undecodable(
            DeadLetterReason.TOO_LARGE,
            f"{size} bytes with key and headers, at most {bytes_max} are read",
        )
