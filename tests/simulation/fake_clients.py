"""Kafka's clients on the fake broker, with what lies between: delays, lost answers, errors."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import IllegalOperation, KafkaConnectionError, RequestTimedOutError
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import RecordMetadata

from agents.records import Record
from streams.record_batch import RecordBatch
from tests.simulation.fake_broker import Entry, FakeBroker, Headers
from tests.simulation.virtual_time import pause

R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class Faults:
    """Which calls fail.

    Parameters
    ----------
    before, after : float
        Chance that a call fails before it reached the broker, or only its answer is lost.
    fail_at : int or None
        The one call that fails, counted from 0; `lost_answer` says how.
    """

    before: float = 0.0
    after: float = 0.0
    fail_at: int | None = None
    lost_answer: bool = False
    calls: int = 0
    injected: int = 0

    def stop(self) -> None:
        self.before = self.after = 0.0
        self.fail_at = None

    def strike(self, chance: Random) -> bool | None:
        """Return whether this call's answer is lost; None: it does not fail; False: all of it."""
        number, self.calls = self.calls, self.calls + 1
        if self.fail_at is not None and number == self.fail_at:
            self.injected += 1
            return self.lost_answer
        if self.before or self.after:
            value = chance.random()
            if value < self.before + self.after:
                self.injected += 1
                return value >= self.before
        return None


@dataclass(slots=True, kw_only=True)
class Link:
    """The way from a process to the broker; a process that has ended reaches nothing."""

    broker: FakeBroker
    chance: Random
    alive: Callable[[], bool] = lambda: True
    faults: Faults = field(default_factory=Faults)

    async def call(self, effect: Callable[[], R]) -> R:
        """Do something at the broker, a while from now; the answer takes a while too."""
        if not self.alive():
            return None  # type: ignore[return-value]  # nobody is there to see it
        lost = self.faults.strike(self.chance)
        await pause(self.chance)
        if lost is False:
            raise KafkaConnectionError("never reached the broker")
        self.broker.tick()
        result = effect()
        if self.chance.random() < 0.5:
            await pause(self.chance)
        if lost:
            raise RequestTimedOutError("the answer was lost")
        return result


class FakeProducer:
    """A transactional producer."""

    def __init__(self, link: Link, transactional_id: str) -> None:
        self._link = link
        self._id = transactional_id
        self._epoch = -1
        self._state = "new"
        self._empty = True
        self._sending: dict[TopicPartition, asyncio.Future[Any]] = {}

    async def start(self) -> None:
        self._epoch = await self._link.call(lambda: self._link.broker.init_producer(self._id))
        self._state = "ready"

    async def begin_transaction(self) -> None:
        await pause(self._link.chance)
        assert self._state == "ready", f"Invalid state transition: {self._state}"
        self._state, self._empty = "in transaction", True

    async def send_batch(
        self, batch: RecordBatch, topic: str, *, partition: int
    ) -> asyncio.Future[RecordMetadata]:
        if self._state != "in transaction":
            raise IllegalOperation("Can't send messages while not in transaction")
        await pause(self._link.chance)
        self._empty = False
        target = TopicPartition(topic, partition)
        before = self._sending.get(target)
        sending = asyncio.get_running_loop().create_task(self._send(batch, target, before))
        self._sending[target] = sending
        return sending

    async def _send(
        self, batch: RecordBatch, target: TopicPartition, before: asyncio.Future[Any] | None
    ) -> RecordMetadata:
        if before is not None:
            await asyncio.wait([before])
        broker, records = self._link.broker, _records(batch)
        offset, now_ms = await self._link.call(
            lambda: broker.append(self._id, self._epoch, target, records)
        )
        return RecordMetadata(*target, target, offset, now_ms, 1, broker.logs[target].begin)

    async def send_offsets_to_transaction(
        self, offsets: dict[TopicPartition, int], group_id: str
    ) -> None:
        self._empty = False
        await self._link.call(
            lambda: self._link.broker.add_offsets(self._id, self._epoch, group_id, offsets)
        )

    async def commit_transaction(self) -> None:
        assert self._state == "in transaction", f"Invalid state transition: {self._state}"
        self._state = "committing"
        if self._sending:
            await asyncio.wait(self._sending.values())
        self._sending.clear()
        if not self._empty:  # aiokafka asks for nothing then
            await self._link.call(
                lambda: self._link.broker.end(self._id, self._epoch, committed=True)
            )
        self._state = "ready"

    async def stop(self) -> None:
        """Leave an open transaction open, as aiokafka does."""
        if self._link.alive():
            await pause(self._link.chance)


@dataclass(slots=True)
class _Place:
    """Where a consumer is in a partition, and what it has fetched ahead."""

    position: int | None = None
    fetched_to: int = 0
    stable_end: int | None = None


class FakeConsumer:
    """A consumer of committed records."""

    FETCH_RECORDS_MAX = 12

    def __init__(self, link: Link, group_id: str | None = None) -> None:
        self._link = link
        self._group_id = group_id
        self._places: dict[TopicPartition, _Place] = {}

    async def start(self) -> None:
        if self._link.alive():
            await pause(self._link.chance)

    async def stop(self) -> None:
        if self._link.alive():
            await pause(self._link.chance)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self._places = {each: _Place() for each in partitions}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        place = self._places[partition]
        place.position, place.fetched_to = offset, 0

    async def position(self, partition: TopicPartition) -> int:
        place = self._places[partition]
        if place.position is None:
            place.position = (await self.beginning_offsets([partition]))[partition]
        return place.position

    def last_stable_offset(self, partition: TopicPartition) -> int | None:
        return self._places[partition].stable_end

    async def beginning_offsets(
        self, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        logs = self._link.broker.logs
        return await self._link.call(lambda: {each: logs[each].begin for each in partitions})

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        logs = self._link.broker.logs
        return await self._link.call(lambda: {each: logs[each].stable_end for each in partitions})

    async def committed(self, partition: TopicPartition) -> int | None:
        offsets, group_id = self._link.broker.group_offsets, self._group_id
        assert group_id is not None
        return await self._link.call(lambda: offsets.get((group_id, partition)))

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        wanted = partitions or tuple(self._places)
        for each in wanted:
            await self.position(each)
        records_max = 1 << 30 if max_records is None else max_records
        found = await self._link.call(lambda: self._drain(wanted, records_max))
        if not found and timeout_ms:
            await asyncio.sleep(timeout_ms / 1_000 * self._link.chance.random())
            found = await self._link.call(lambda: self._drain(wanted, records_max))
        return found

    def _drain(
        self, partitions: Sequence[TopicPartition], records_max: int
    ) -> dict[TopicPartition, list[Record]]:
        found: dict[TopicPartition, list[Record]] = {}
        for partition in partitions:
            place = self._places.get(partition)
            if place is None or place.position is None:  # assigned anew meanwhile
                continue
            log = self._link.broker.logs[partition]
            if place.position >= place.fetched_to:
                if self._link.chance.random() < 0.3:  # the fetch is still under way
                    continue
                self._fetch(partition, place)
            entries, place.position = log.read(
                place.position, upto=place.fetched_to, records_max=records_max
            )
            if entries:
                found[partition] = [_record(partition, each) for each in entries]
                records_max -= len(entries)
            if not records_max:
                break
        return found

    def _fetch(self, partition: TopicPartition, place: _Place) -> None:
        log = self._link.broker.logs[partition]
        assert place.position is not None
        place.stable_end = log.stable_end
        some = self._link.chance.randint(1, self.FETCH_RECORDS_MAX)
        _, place.fetched_to = log.read(place.position, upto=log.stable_end, records_max=some)


def _record(partition: TopicPartition, entry: Entry) -> Record:
    return Record(
        partition.topic,
        partition.partition,
        entry.offset,
        entry.timestamp_ms,
        entry.key,
        entry.value,
        entry.headers,
    )


def _records(batch: RecordBatch) -> list[tuple[bytes | None, bytes | None, Headers]]:
    """What a broker finds in a batch, read by aiokafka."""
    found = MemoryRecords(batch._build()).next_batch()
    assert isinstance(found, DefaultRecordBatch)
    assert found.validate_crc()
    return [(each.key, each.value, tuple(each.headers)) for each in found]


class FakeClients:
    """Clients of one process."""

    BATCH_BYTES_MAX = 250

    def __init__(self, link: Link, group_id: str) -> None:
        self._link = link
        self._group_id = group_id

    def producer(self, transactional_id: str) -> FakeProducer:
        return FakeProducer(self._link, transactional_id)

    def batch(self) -> RecordBatch:
        return RecordBatch(bytes_max=self.BATCH_BYTES_MAX, timestamp_ms=0)

    def reader(self) -> FakeConsumer:
        return FakeConsumer(self._link)

    def member(self, assignor: Any) -> FakeConsumer:
        return FakeConsumer(self._link, self._group_id)
