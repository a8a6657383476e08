"""One task: takes over, reads, folds and commits; owns its state and its positions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.batch import Batch
from streams.definition import TaskDefinition
from streams.exits import StuckTask, fail_stop
from streams.settings import EngineSettings
from streams.source import Source

logger = logging.getLogger(__name__)


class TaskState(StrEnum):
    """Where a task is in its life."""

    FENCING = "fencing"
    SEEKING = "seeking"
    RUNNING = "running"
    STOPPING = "stopping"
    DEAD = "dead"


class Task:
    """Partition *p* of all inputs of a definition.

    While a transaction is under way the next buffer is folded. Outputs, changed state and
    positions are taken together in one synchronous stretch (`_commit_once`), and folded together
    in one (`_fold`): between the two parts of either, nothing may be awaited.

    Parameters
    ----------
    deliver : callable
        Hands a batch to the agent.
    clock_ms : callable
        Wall clock, UTC epoch milliseconds.
    """

    def __init__(
        self,
        definition: TaskDefinition,
        partition: int,
        *,
        consumer: AIOKafkaConsumer,
        settings: EngineSettings,
        deliver: Callable[[str, int, Batch], Awaitable[None]],
        clock_ms: Callable[[], int],
    ) -> None:
        self.name = f"{definition.name}-{partition}"
        self.state = TaskState.FENCING
        self._definition = definition
        self._partition = partition
        self._settings = settings
        self._deliver = deliver
        self._clock_ms = clock_ms
        self._reducer = definition.reducer(partition)
        self._ledger = definition.ledger(partition)
        self._source = Source(
            consumer,
            [TopicPartition(topic, partition) for topic in definition.inputs],
            self._reducer,
            holes=definition.holes,
            batch_records_max=settings.batch_records_max,
        )
        self._positions: dict[str, int] = {}
        self._pending = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._opening = self._start(self._ledger.open())
        self._reader = self._start(self._guarded(self._run))
        self._committer: asyncio.Task[Any] | None = None

    @property
    def alive(self) -> bool:
        """Whether the task still is this worker's."""
        return self.state not in {TaskState.STOPPING, TaskState.DEAD}

    async def stop(self) -> None:
        """Let the transaction under way end, drop what is pending, and close."""
        self.state = TaskState.STOPPING
        try:
            async with asyncio.timeout(self._settings.stop_s_max):
                # An abandoned take-over could fence the next owner after all.
                await asyncio.wait([self._opening])
                await self._end(self._reader)
                await self._idle.wait()
        except TimeoutError as error:
            if not self._definition.patient:
                fail_stop(f"task {self.name} does not stop", error)
        for task in (self._opening, self._reader, self._committer):
            if task is not None:
                await self._end(task)
        await self._ledger.close()
        self.state = TaskState.DEAD
        logger.info("task %s stopped, %d folded records dropped", self.name, self._pending)

    def _bound(self, seconds: float) -> float | None:
        return None if self._definition.patient else seconds

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(coroutine, name=self.name)

    async def _end(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        await asyncio.wait([task])

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run `step`; any error of a living task ends the worker."""
        try:
            await step()
        except Exception as error:  # noqa: BLE001  # whatever it is
            if self.alive:
                fail_stop(f"task {self.name}", error)
            logger.info("task %s: %r while stopping", self.name, error)

    async def _run(self) -> None:
        async with asyncio.timeout(self._bound(self._settings.take_over_s_max)):
            positions, entries = await asyncio.shield(self._opening)
            if not self.alive:
                return
            self.state = TaskState.SEEKING
            self._reducer.restore(entries)
            sought = await self._source.seek(positions)
        if not self.alive:
            return
        self._positions = sought
        self.state = TaskState.RUNNING
        logger.info("task %s runs: %d state entries, %s", self.name, len(entries), sought)
        self._committer = self._start(self._guarded(self._commit_loop))
        await self._read_loop()

    async def _read_loop(self) -> None:
        while self.alive:
            arrivals = await self._source.poll(self._settings.timer_interval_ms)
            until_ms = None if arrivals else self._timers_due()
            if not arrivals and until_ms is None:
                continue
            while self._pending > self._settings.pending_records_max:
                self._room.clear()
                await self._room.wait()
            if self.alive:
                await self._hand_over(Batch(arrivals, until_ms=until_ms, fold=self._fold))

    def _timers_due(self) -> int | None:
        """Return up to when timers are due, if any is and no input holds an event before it."""
        if not (self._definition.timers and self._source.drained):
            return None
        until_ms = self._clock_ms() - self._settings.timer_grace_ms
        next_ms = self._reducer.next_timer_ms()
        return until_ms if next_ms is not None and next_ms <= until_ms else None

    async def _hand_over(self, batch: Batch) -> None:
        try:
            async with asyncio.timeout(self._settings.fold_s_max):
                await self._deliver(self._definition.inputs[0], self._partition, batch)
                await batch.done
        except TimeoutError as error:
            raise StuckTask(f"the agent of {self.name} never folded its batch") from error

    def _fold(self, batch: Batch) -> None:
        if not self.alive:
            return
        now_ms = self._clock_ms()
        try:
            if batch.until_ms is not None:
                self._pending += self._reducer.fire(until_ms=batch.until_ms, now_ms=now_ms)
            else:
                self._reducer.fold(batch.arrivals, now_ms=now_ms)
        except Exception as error:  # noqa: BLE001  # an agent that goes on after an error has lost its event
            fail_stop(f"task {self.name} cannot fold", error)
        for arrival in batch.arrivals:
            self._positions[arrival.record.topic] = arrival.record.offset + 1
        self._pending += len(batch.arrivals)
        self._wake.set()

    async def _commit_loop(self) -> None:
        loop = asyncio.get_running_loop()
        last_s = 0.0
        while self.alive:
            await self._wake.wait()
            self._wake.clear()
            linger_s = last_s + self._settings.linger_ms / 1_000 - loop.time()
            if linger_s > 0 and self._pending < self._settings.pending_records_max // 2:
                await asyncio.sleep(linger_s)
            last_s = loop.time()
            if self._pending and self.alive:
                await self._commit_once()

    async def _commit_once(self) -> None:
        effects, positions = self._reducer.take(), dict(self._positions)
        self._pending = 0
        self._room.set()
        self._idle.clear()
        async with asyncio.timeout(self._bound(self._settings.commit_s_max)):
            await self._ledger.commit(effects, positions)
        self._idle.set()
        if self._pending:
            self._wake.set()
