"""Reads input records into events, or says why it cannot."""

from collections.abc import Mapping, Sequence
from typing import Final, final

from agents.burial import Unreadable
from agents.records import Record
from agents.reducer import Arrival
from agents.rerouting import Origins, origin_of
from agents.schema_lookup import SchemaLookup
from schemas.dead_letter_reason import DeadLetterReason, Undecodable
from schemas.event_decoding import EventDecoder
from scoring.event import Event
from scoring.merge import AT_ONCE


@final
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
        self._decoders: Final = dict(decoders)
        self._schemas: Final = schemas
        self._future_ms_max: Final = future_ms_max
        self._record_bytes_max: Final = record_bytes_max

    async def prepare(self, records: Sequence[Record]) -> None:
        """Look up the schemas of `records`; waits while the registry is away."""
        await self._schemas.prepare(records)

    def read(self, record: Record) -> Arrival:
        """Read one record; its time is event time, or at once for what is no event."""
        origin = origin_of(record)
        try:
            _check_size(record, self._record_bytes_max)
            event = self._event(origin, record.value)
        except Undecodable as error:
            return Arrival(AT_ONCE, record, Unreadable(reason=error.reason, text=str(error)))
        at_ms = event.occurred_at_ms
        if at_ms - origin.timestamp_ms > self._future_ms_max:
            return Arrival(at_ms, record, self._future(at_ms - origin.timestamp_ms))
        return Arrival(at_ms, record, event)

    def _future(self, ahead_ms: int) -> Unreadable:
        return Unreadable(
            reason=DeadLetterReason.FUTURE_EVENT,
            text=f"occurred_at is {ahead_ms} ms after it was appended; "
            f"at most {self._future_ms_max} ms are taken",
        )

    def _event(self, origin: Origins, value: bytes | None) -> Event:
        decoder = self._decoders.get(origin.topic)
        if decoder is None:
            raise Undecodable(DeadLetterReason.WRONG_SCHEMA, f"no input topic: {origin.topic!r}")
        return decoder.decode(value)


def _check_size(record: Record, bytes_max: int) -> None:
    size = len(record.value or b"") + len(record.key or b"")
    for name, value in record.headers:
        size += len(name) + len(value or b"")
    if size > bytes_max:
        raise Undecodable(
            DeadLetterReason.TOO_LARGE,
            f"{size} bytes with key and headers, at most {bytes_max} are read",
        )
