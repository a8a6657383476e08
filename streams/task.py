"""One task: takes over, reads, folds and commits; owns its state and its positions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.records import Record
from agents.reducer import Arrival, positions_after
from streams.batch import Batch
from streams.committer import Committer
from streams.definition import TaskDefinition
from streams.exits import StuckTask, fail_stop, is_cancelled
from streams.quarantine import Step
from streams.settings import EngineSettings
from streams.source import Source
from streams.stage import Stage
from streams.suspects import Suspects, attempt_of

logger = logging.getLogger(__name__)


class TaskState(StrEnum):
    """Where a task is in its life."""

    RESTORING = "restoring"
    SEEKING = "seeking"
    RUNNING = "running"
    STOPPING = "stopping"
    DEAD = "dead"


class Task:
    """Partition *p* of all inputs of a definition.

    While a transaction is under way the next buffer is folded. What is folded and the positions
    after it move in one synchronous stretch (`_fold`), nothing is awaited in it.

    Parameters
    ----------
    stage : Stage
        Shared by the tasks of the process.
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
        stage: Stage,
        deliver: Callable[[str, int, Batch], Awaitable[None]],
        clock_ms: Callable[[], int],
    ) -> None:
        self.name = f"{definition.name}-{partition}"
        self.state = TaskState.RESTORING
        self._definition = definition
        self._partition = partition
        self._settings = settings
        self._stage = stage
        self._deliver = deliver
        self._clock_ms = clock_ms
        self._reducer = definition.reducer(partition)
        self._ledger = definition.ledger(partition)
        self._source = Source(
            consumer,
            [TopicPartition(topic, partition) for topic in definition.inputs],
            self._read,
            holes=definition.holes,
            batch_records_max=settings.batch_records_max,
        )
        self._committer = Committer(
            self._reducer,
            self._ledger,
            settings,
            linger_ms=max(settings.linger_ms, definition.linger_ms),
            behind=lambda: self._source.backlog > settings.pending_records_max // 2,
            commit_s_max=self._bound(settings.commit_s_max),
        )
        self._suspects: Suspects | None = None
        self._opening = self._start(self._ledger.open())
        self._reader = self._start(self._guarded(self._run))
        self._commits: asyncio.Task[Any] | None = None

    @property
    def alive(self) -> bool:
        """Whether the task still is this worker's."""
        return self.state not in {TaskState.STOPPING, TaskState.DEAD}

    @property
    def progress(self) -> tuple[object, ...]:
        """What changes whenever the task gets on."""
        committer = self._committer
        restored = self._ledger.restored
        return (self.state, restored, committer.commits, tuple(committer.positions.items()))

    async def is_waiting(self) -> bool:
        """Return whether it takes over, or records wait that only its own steps keep unfolded."""
        if not self.alive:
            return False
        if self.state is not TaskState.RUNNING:
            return not self._definition.patient
        if self._definition.patient and self._committer.busy:
            return False
        return await self._source.behind()

    async def stop(self) -> None:
        """Let the transaction under way end, drop what is pending, and close."""
        self.state = TaskState.STOPPING
        try:
            async with asyncio.timeout(self._settings.stop_s_max):
                await self._finish()
                await self._close()
        except TimeoutError as error:
            if not self._definition.patient:
                fail_stop(f"task {self.name} does not stop", error)
            await self._close()
        self.state = TaskState.DEAD
        dropped = self._committer.pending
        logger.info("task %s stopped, %d folded records dropped", self.name, dropped)

    async def _finish(self) -> None:
        # An abandoned take-over could fence the next owner after all.
        await asyncio.wait([self._opening])
        if self._suspects is not None:
            await self._suspects.leave()
        await self._committer.close()
        await self._end(self._reader)
        if self._suspects is not None:
            await self._suspects.take_back()

    async def _close(self) -> None:
        for task in (self._opening, self._reader, self._commits):
            if task is not None:
                await self._end(task)
        await self._ledger.close()

    def _bound(self, seconds: float) -> float | None:
        return None if self._definition.patient else seconds

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(coroutine, name=self.name)

    async def _end(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        await asyncio.wait([task])

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run `step`; any error of a living task ends the worker, as does a stray cancel."""
        try:
            await step()
        except asyncio.CancelledError as error:
            if self.alive and not is_cancelled():
                fail_stop(f"task {self.name} met a cancellation that is not ours", error)
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is
            if self.alive:
                fail_stop(f"task {self.name}", error)
            logger.info("task %s: %r while stopping", self.name, error)

    async def _run(self) -> None:
        positions, state = await asyncio.shield(self._opening)
        if not self.alive:
            return
        self.state = TaskState.SEEKING
        self._reducer.restore(state)
        sought = await self._source.seek(positions)
        if not self.alive:
            return
        self._committer.start_from(sought)
        if self._definition.quarantines:
            attempt = attempt_of(state, positions, inputs=len(self._definition.inputs))
            self._suspects = Suspects(attempt, self._reducer, self._committer, self._stage)
        self.state = TaskState.RUNNING
        logger.info("task %s runs from %s", self.name, sought)
        if self._suspects is not None and self._suspects.alone:
            await self._read_alone(self._suspects)
        self._commits = self._start(self._guarded(self._committer.run))
        await self._read_loop()

    async def _read(self, records: Sequence[Record]) -> Sequence[Arrival]:
        if self._suspects is not None:
            return await self._suspects.read(records)
        await self._reducer.prepare(records)
        return self._reducer.read(records)

    async def _read_alone(self, suspects: Suspects) -> None:
        """Handle records one at a time while one of the next is suspected of killing the task."""
        logger.warning("task %s died here before: its next records are handled alone", self.name)
        while self.alive and suspects.alone:
            arrivals = await self._poll()
            for arrival in arrivals:
                async with suspects.under_way(Step.FOLD, arrival.record):
                    await self._hand_over(Batch([arrival], until_ms=None, fold=self._fold))
                await suspects.commit()
            if not arrivals and self._source.drained:
                break  # all that could be suspected are through

    async def _read_loop(self) -> None:
        loop = asyncio.get_running_loop()
        passed_s = loop.time()
        while self.alive:
            arrivals = await self._poll()
            until_ms = None if arrivals else self._timers_due()
            if not arrivals and until_ms is None:
                if self._source.drained and loop.time() > passed_s + self._settings.markers_every_s:
                    passed_s = loop.time()
                    self._committer.passed(await self._source.pass_markers())
                continue
            await self._committer.room()
            async with self._stage.shared():
                if self.alive:
                    await self._hand_over(Batch(arrivals, until_ms=until_ms, fold=self._fold))

    async def _poll(self) -> list[Arrival]:
        settings = self._settings
        few = None if self._suspects is None else self._suspects.records_max
        self._source.batch_records_max = settings.batch_records_max if few is None else few
        self._committer.pending_records_max = settings.pending_records_max if few is None else few
        return await self._source.poll(settings.timer_interval_ms)

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
        count = len(batch.arrivals)
        positions = positions_after(batch.arrivals, topics=len(self._definition.inputs))
        try:
            if batch.until_ms is not None:
                count = self._reducer.fire(until_ms=batch.until_ms, now_ms=now_ms)
            else:
                self._reducer.fold(batch.arrivals, now_ms=now_ms)
        except Exception as error:  # noqa: BLE001  # an agent that goes on after an error has lost its event
            fail_stop(f"task {self.name} cannot fold", error)
        self._committer.folded(positions, count)
