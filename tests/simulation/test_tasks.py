"""A task under crashes and polite stops at any await, on fakes that remember."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from streams.batch import Batch
from streams.definition import TaskDefinition
from streams.settings import EngineSettings
from streams.task import Task
from tests.simulation.fake_parts import FakeConsumer, FakeLedger, Tracer

TOPICS = ("a", "b")
RECORDS = 60
SCHEDULES = 100
SETTINGS = EngineSettings(batch_records_max=7, pending_records_max=12, linger_ms=0)


class PositionsAfterAnAwait(Task):
    """A mutant: outputs at the fold, positions one turn of the loop later."""

    def _fold(self, batch: Batch) -> None:
        before = dict(self._positions)
        super()._fold(batch)
        after, self._positions = self._positions, before
        asyncio.get_running_loop().call_soon(lambda: self._positions.update(after))


class SwallowedCancel(Task):
    """A mutant: a read that meets its cancel goes on, as asyncio.wait_for does on Python 3.11."""

    @property
    def alive(self) -> bool:
        return True

    async def _read_loop(self) -> None:
        try:
            await super()._read_loop()
        except asyncio.CancelledError:
            await super()._read_loop()


def inputs(randomness: random.Random) -> dict[TopicPartition, list[ConsumerRecord]]:
    records = {}
    for topic in TOPICS:
        at_ms = 0
        each = []
        for offset in range(RECORDS):
            at_ms += randomness.randint(0, 9)
            each.append(ConsumerRecord(topic, 0, offset, at_ms, 0, None, b"", None, 0, 0, ()))
        records[TopicPartition(topic, 0)] = each
    return records


async def live(kind: type[Task], ledger: FakeLedger, consumer: FakeConsumer, owner: int) -> Task:
    async def deliver(topic: str, partition: int, batch: Batch) -> None:
        async def agent() -> None:
            await asyncio.sleep(0)
            batch.fold()

        agents.append(asyncio.ensure_future(agent()))

    agents: list[asyncio.Future[None]] = []
    definition = TaskDefinition(
        name="traced",
        inputs=TOPICS,
        reducer=lambda _: Tracer(),
        ledger=lambda _: ledger.owned_by(owner),
    )
    return kind(
        definition,
        0,
        consumer=consumer,
        settings=SETTINGS,
        deliver=deliver,
        clock_ms=lambda: 0,
    )


async def schedule(seed: int, kind: type[Task] = Task) -> list[tuple[str, int]]:
    """Return what was committed, in order, after crashes and stops at random moments."""
    randomness = random.Random(seed)
    records = inputs(randomness)
    ledger = FakeLedger(randomness)
    for owner in range(50):
        consumer = FakeConsumer(records, randomness)
        task = await live(kind, ledger, consumer, owner)
        turns = 100_000 if owner > 6 else randomness.randint(0, 60)
        for _ in range(turns):
            await asyncio.sleep(0)
            if sum(ledger.positions.values()) == RECORDS * len(TOPICS):
                break
        if randomness.random() < 0.5:
            async with asyncio.timeout(1):
                await task.stop()
        else:  # as after kill -9: nobody says goodbye
            ledger.owner = -1
            parts = [
                each for each in (task._opening, task._reader, task._committer) if each is not None
            ]
            for each in parts:
                each.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
        if sum(ledger.positions.values()) == RECORDS * len(TOPICS):
            return ledger.seen
    raise AssertionError("the inputs were never read to their end")


def merged(seed: int) -> list[tuple[str, int]]:
    flat = [each for records in inputs(random.Random(seed)).values() for each in records]
    flat.sort(key=lambda each: (each.timestamp, TOPICS.index(each.topic), each.offset))
    return [(each.topic, each.offset) for each in flat]


def wrong(results: Sequence[list[tuple[str, int]] | BaseException]) -> int:
    return sum(
        isinstance(result, BaseException) or result != merged(seed)
        for seed, result in enumerate(results)
    )


async def results(kind: type[Task], monkeypatch: pytest.MonkeyPatch) -> list:
    def fail(reason: str, error: BaseException | None = None) -> None:
        raise SystemError(reason)

    monkeypatch.setattr("streams.task.fail_stop", fail)
    found = []
    for seed in range(SCHEDULES):
        try:
            found.append(await schedule(seed, kind))
        except (AssertionError, TimeoutError, SystemError) as error:
            found.append(error)
            break
    return found


async def test_each_record_counts_once_in_merged_order(monkeypatch) -> None:
    """
    Whatever moment a task dies or stops at, its records are committed once, in merged order.
    """
    found = await results(Task, monkeypatch)

    assert len(found) == SCHEDULES
    assert wrong(found) == 0


@pytest.mark.parametrize("mutant", [PositionsAfterAnAwait, SwallowedCancel])
async def test_the_two_mistakes_of_the_sketch_are_found(mutant, monkeypatch) -> None:
    """
    Positions that move after an await, and a reader that survives its cancel, do not pass.
    """
    assert wrong(await results(mutant, monkeypatch)) > 0
