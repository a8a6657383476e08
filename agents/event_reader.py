"""Reads input records into events, or says why it cannot."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.burial import Unreadable
from agents.records import Record
from agents.reducer import Arrival
from agents.rerouting import Origin, origin_of
from schemas.dead_letter_reason import DeadLetterReason, Undecodable
from schemas.decoding import Decoder, WriterSchemas
from schemas.events import read_event
from schemas.registry import RegistryUnavailable, UnknownSchema
from scoring.event import Event
from scoring.merge import AT_ONCE

logger = logging.getLogger(__name__)

REGISTRY_RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came of an input record, and where it came from first."""

    origin: Origin
    content: Event | Unreadable


class SchemaSource(Protocol):
    """Where writers' schemas are looked up by id."""

    def schema(self, schema_id: int) -> str:
        """Return the schema's text; blocking."""
        ...


class EventReader:
    """Decodes the input topics.

    Parameters
    ----------
    decoders : mapping of str to Decoder
        By input topic.
    writers : WriterSchemas
        Shared with the decoders: the writers' schemas known so far.
    future_ms_max : int
        An event later than its append time by more is refused.
    record_bytes_max : int
        A record whose value, key and headers have more is refused unread. The broker's own limit
        is for compressed batches.
    """

    def __init__(
        self,
        decoders: Mapping[str, Decoder],
        writers: WriterSchemas,
        registry: SchemaSource,
        *,
        future_ms_max: int,
        record_bytes_max: int = 1 << 20,
    ) -> None:
        self._decoders = decoders
        self._writers = writers
        self._registry = registry
        self._future_ms_max = future_ms_max
        self._record_bytes_max = record_bytes_max

    async def prepare(self, records: Sequence[Record]) -> None:
        """Look up the schemas of `records`; waits while the registry is away."""
        for schema_id in sorted(self._writers.unknown_ids(record.value for record in records)):
            await self._learn(schema_id)

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
        return read_event(origin.topic, decoder.decode(value))

    async def _learn(self, schema_id: int) -> None:
        while True:
            try:
                text = await asyncio.to_thread(self._registry.schema, schema_id)
            except UnknownSchema as error:
                return self._writers.refuse(schema_id, str(error))
            except RegistryUnavailable as error:
                logger.warning("schema %d: the registry is away: %s", schema_id, error)
                await asyncio.sleep(REGISTRY_RETRY_S)
            else:
                return self._writers.learn(schema_id, text)


def _check_size(record: Record, bytes_max: int) -> None:
    size = len(record.value or b"") + len(record.key or b"")
    size += sum(len(name) + len(value or b"") for name, value in record.headers)
    if size > bytes_max:
        raise Undecodable(
            DeadLetterReason.TOO_LARGE,
            f"{size} bytes with key and headers, at most {bytes_max} are read",
        )
