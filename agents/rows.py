"""The sink agent: collects the records of one partition of an output topic into rows."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from agents.records import Record
from agents.reducer import Arrival
from agents.schema_lookup import SchemaLookup
from agents.state import State
from schemas.dead_letter_reason import Undecodable
from schemas.decoding import Decoder
from sinks.cutting import Cutter, Decoded
from sinks.port import Collected, RejectedRow
from sinks.rejected import text_of_bytes

logger = logging.getLogger(__name__)

BEHIND_MS = 60_000
"""A record older than it is history: its readers lose nothing if its block is filled first."""

PENDING_BYTES_MAX = 8 << 20
"""Bytes of records, as they stand in the topic, that wait for the store; then reading pauses."""


class RowCollector:
    """Rows since the last block; its only state is in the store.

    While it catches up, blocks end where their offsets say (`sinks.cutting`). What is there of the
    next one waits until it is whole, or all is read. A fresh record waits for nothing.

    Parameters
    ----------
    topic : str
    partition : int
    decoder : Decoder
    schemas : SchemaLookup
        Of the decoder: records of other releases have other schemas.
    """

    def __init__(self, topic: str, partition: int, decoder: Decoder, schemas: SchemaLookup) -> None:
        self._decoder = decoder
        self._schemas = schemas
        self._cutter = Cutter(topic, partition)
        self._rejected: list[RejectedRow] = []
        self._is_behind = False
        self._room = asyncio.Event()

    async def prepare(self, records: Sequence[Record]) -> None:
        """Look up the schemas of `records`; waits while too much waits for the store."""
        await self._schemas.prepare(records)
        while self._cutter.size_bytes > PENDING_BYTES_MAX:
            self._room.clear()
            await self._room.wait()

    def read(self, records: Sequence[Record]) -> list[Arrival]:
        """Decode records; what somebody else wrote to our topic is set aside."""
        return [self._read(record) for record in records]

    def condemned(self, record: Record, text: str) -> Arrival:
        """Return the arrival of a record that must not be read."""
        return Arrival(record=record, content=_rejected(record, text), time_ms=record.timestamp_ms)

    def restore(self, state: State) -> None:
        """Take nothing: the store holds the rows."""

    def fold(self, arrivals: Sequence[Arrival], *, now_ms: int) -> None:
        """Add the rows of a batch; the clock decides how soon they are seen, not what is."""
        for arrival in arrivals:
            record, content = arrival.record, arrival.content
            if isinstance(content, RejectedRow):
                self._rejected.append(content)
            else:
                self._cutter.add(record.offset, content, len(record.value or b""))
        self._is_behind = now_ms - arrivals[-1].record.timestamp_ms > BEHIND_MS

    def next_timer_ms(self) -> int | None:
        """Return the beginning of time while rows wait for their block to be whole."""
        return 0 if self._cutter.tail_rows else None

    def fire(self, *, until_ms: int, now_ms: int) -> int:  # noqa: ARG002
        """Let rows wait no longer: all is read. Return how many."""
        self._is_behind = False
        return self._cutter.tail_rows

    def take(self) -> Collected:
        """Hand over what is to be written."""
        rejected, self._rejected = self._rejected, []
        collected = self._cutter.take(tail=not self._is_behind)
        self._room.set()
        return replace(collected, rejected=(*rejected, *collected.rejected))

    def _read(self, record: Record) -> Arrival:
        content: Decoded | RejectedRow
        try:
            content = self._decoder.decode(record.value)
        except Undecodable as error:
            content = _rejected(record, str(error))
        return Arrival(record=record, content=content, time_ms=record.timestamp_ms)


def _rejected(record: Record, reason: str) -> RejectedRow:
    return RejectedRow(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=reason,
        record=text_of_bytes(record.value),
    )
