"""Fakes with a memory: a broker's input partitions, and a ledger that a crash cannot tear."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from agents.records import Record
from agents.reducer import Arrival

Entry = tuple[str, int]
"""Topic and offset of an input record."""


@dataclass
class FakeConsumer:
    """Reads from lists of records, with random waits."""

    records: dict[TopicPartition, list[ConsumerRecord]]
    randomness: random.Random
    positions: dict[TopicPartition, int] = field(default_factory=dict)

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict:
        await self._wait()
        return dict.fromkeys(partitions, 0)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def last_stable_offset(self, partition: TopicPartition) -> int:
        return len(self.records[partition])

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        await self._wait()
        for partition in partitions:
            start = self.positions[partition]
            size = min(max_records, self.randomness.randint(1, 5))
            if batch := self.records[partition][start : start + size]:
                self.positions[partition] = start + len(batch)
                return {partition: batch}
        await asyncio.sleep(timeout_ms / 1_000_000)
        return {}

    async def _wait(self) -> None:
        for _ in range(self.randomness.randint(0, 3)):
            await asyncio.sleep(0)


@dataclass
class FakeLedger:
    """Keeps what was committed; a commit holds as a whole or not at all."""

    randomness: random.Random
    seen: list[Entry] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    owner: int = 0

    def owned_by(self, owner: int) -> "OwnedLedger":
        return OwnedLedger(self, owner)


class Fenced(Exception):
    """Another owner has opened the ledger."""


@dataclass
class OwnedLedger:
    """The ledger in the hands of one task."""

    ledger: FakeLedger
    owner: int

    async def open(self) -> tuple[Mapping[str, int], Mapping[bytes, bytes]]:
        self.ledger.owner = self.owner
        await self._wait()
        return dict(self.ledger.positions), {}

    async def commit(self, effects: list[Entry], positions: Mapping[str, int]) -> None:
        await self._wait()
        if self.ledger.owner != self.owner:
            raise Fenced
        self.ledger.seen.extend(effects)
        self.ledger.positions = dict(positions)
        await self._wait()

    async def close(self) -> None:
        await self._wait()

    async def _wait(self) -> None:
        for _ in range(self.ledger.randomness.randint(0, 4)):
            await asyncio.sleep(0)


class Tracer:
    """A reducer whose effects are the records it folded."""

    def __init__(self) -> None:
        self._folded: list[Entry] = []

    async def prepare(self, records: Sequence[Record]) -> None:
        await asyncio.sleep(0)

    def read(self, record: Record) -> Arrival[None]:
        return Arrival(record=record, content=None, time_ms=record.timestamp_ms)

    def restore(self, entries: Mapping[bytes, bytes]) -> None:
        assert not entries

    def fold(self, arrivals: Sequence[Arrival[None]], *, now_ms: int) -> None:
        self._folded.extend((each.record.topic, each.record.offset) for each in arrivals)

    def next_timer_ms(self) -> int | None:
        return None

    def fire(self, *, until_ms: int, now_ms: int) -> int:
        return 0

    def take(self) -> list[Entry]:
        folded, self._folded = self._folded, []
        return folded
