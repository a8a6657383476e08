"""The watchdog on virtual time: it ends a worker that does not get on, and no other."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from streams.exits import NoProgress
from streams.watchdog import LOOK_S, Watchdog
from tests.simulation.virtual_time import World

PROGRESS_S_MAX = 60.0
WITNESS = TopicPartition("visits", 0)


class Kafka:
    """Answers, fails or is silent, as it is told."""

    def __init__(self) -> None:
        self.answer: Callable[[], Coroutine[Any, Any, object]] = self._well
        self.asked = 0

    async def end_offsets(self, partitions: list[TopicPartition]) -> object:
        assert partitions == [WITNESS]
        self.asked += 1
        return await self.answer()

    async def _well(self) -> object:
        await asyncio.sleep(0.01)
        return {}

    async def fail(self) -> object:
        await asyncio.sleep(0.01)
        raise KafkaConnectionError

    async def say_nothing(self) -> object:
        return await asyncio.sleep(1e9, {})


class Work:
    """A task that gets on, or does not, as it is told."""

    def __init__(self, name: str = "scoring-0", *, waiting: bool = True) -> None:
        self.name = name
        self.waiting = waiting
        self.steps = 0
        self.error: Exception | None = None

    @property
    def progress(self) -> tuple[object, ...]:
        return (self.steps,)

    async def is_waiting(self) -> bool:
        await asyncio.sleep(0.01)
        if self.error is not None:
            raise self.error
        return self.waiting


class Watched:
    """A watchdog over tasks, and the virtual time in which it looks."""

    def __init__(self, *tasks: Work) -> None:
        self.kafka = Kafka()
        self.tasks = list(tasks)
        self._world = World(random.Random(0))
        self._process = self._world.process()
        consumer: Any = self.kafka
        owned: Any = self.tasks
        watchdog = Watchdog(consumer, WITNESS, lambda: owned, progress_s_max=PROGRESS_S_MAX)
        self._watch = self._process.create_task(watchdog.watch())

    def pass_time(self, seconds: float) -> None:
        """Let time pass; raises what the watchdog raises."""
        end_s = self._world.now_s + seconds
        self._world.run(1_000_000, until=lambda: self._watch.done() or self._world.now_s >= end_s)
        if self._watch.done():
            self._watch.result()

    def close(self) -> None:
        self._world.close()


@pytest.fixture
def watched():
    """Make watchdogs; their time ends with the test."""
    made: list[Watched] = []

    def make(*tasks: Work) -> Watched:
        made.append(Watched(*tasks))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_task_that_stands_still_ends_the_worker(watched) -> None:
    """While records wait and none is folded, the worker stays for the bound and no longer."""
    watch = watched(Work("scoring-3"))

    watch.pass_time(PROGRESS_S_MAX - LOOK_S)
    with pytest.raises(NoProgress, match="scoring-3 has folded nothing"):
        watch.pass_time(4 * LOOK_S)


def test_a_task_that_gets_on_is_left_alone(watched) -> None:
    """However slowly it folds, a task within the bound is no reason to end."""
    work = Work()
    watch = watched(work)

    for _ in range(10):
        watch.pass_time(PROGRESS_S_MAX - 3 * LOOK_S)
        work.steps += 1


def test_an_idle_task_is_left_alone(watched) -> None:
    """With no record waiting nothing needs to be folded; the time counts from when one does."""
    work = Work(waiting=False)
    watch = watched(work)

    watch.pass_time(10 * PROGRESS_S_MAX)
    work.waiting = True
    watch.pass_time(PROGRESS_S_MAX - 2 * LOOK_S)
    with pytest.raises(NoProgress):
        watch.pass_time(PROGRESS_S_MAX)


def test_one_of_many_is_enough(watched) -> None:
    """Tasks that get on do not hide one that stands still."""
    busy, stuck = Work("scoring-0"), Work("velocity-0")
    watch = watched(busy, stuck)

    for _ in range(int(PROGRESS_S_MAX / LOOK_S) - 1):
        watch.pass_time(LOOK_S)
        busy.steps += 1
    with pytest.raises(NoProgress, match="velocity-0"):
        watch.pass_time(3 * LOOK_S)


def test_a_silent_kafka_ends_the_worker(watched) -> None:
    """A worker without tasks still hears from Kafka, or ends after the bound."""
    watch = watched()
    watch.pass_time(2 * LOOK_S)
    watch.kafka.answer = watch.kafka.say_nothing

    watch.pass_time(PROGRESS_S_MAX - LOOK_S)
    with pytest.raises(NoProgress, match="Kafka gave no answer"):
        watch.pass_time(4 * LOOK_S)


def test_a_kafka_that_fails_for_a_while_is_waited_for(watched) -> None:
    """Errors within the bound are no reason to end; beyond it they are."""
    watch = watched()
    watch.kafka.answer = watch.kafka.fail
    watch.pass_time(PROGRESS_S_MAX - LOOK_S)
    watch.kafka.answer = watch.kafka._well
    watch.pass_time(10 * PROGRESS_S_MAX)

    watch.kafka.answer = watch.kafka.fail
    with pytest.raises(NoProgress, match="Kafka gave no answer"):
        watch.pass_time(2 * PROGRESS_S_MAX)


def test_a_task_that_kafka_gives_no_answer_for_is_not_blamed(watched) -> None:
    """Whether records wait is not known then, so the task's time begins anew."""
    work = Work()
    work.error = KafkaConnectionError()
    watch = watched(work)

    watch.pass_time(5 * PROGRESS_S_MAX)


def test_a_task_that_went_is_forgotten(watched) -> None:
    """A task that others had meanwhile is given its whole time when it comes back."""
    work = Work()
    watch = watched(work)
    watch.pass_time(PROGRESS_S_MAX / 2)
    watch.tasks.clear()
    watch.pass_time(5 * PROGRESS_S_MAX)
    watch.tasks.append(work)

    watch.pass_time(PROGRESS_S_MAX - 2 * LOOK_S)
    with pytest.raises(NoProgress):
        watch.pass_time(4 * LOOK_S)


def test_a_task_that_never_answers_ends_the_worker(watched):
    """Where a client waits for ever to say where a task is, the watchdog does not wait along."""
    work = Work()
    watchdog = watched(work)

    async def silent() -> bool:
        return bool(await asyncio.sleep(1e9, result=True))

    work.is_waiting = silent  # type: ignore[method-assign]

    with pytest.raises(NoProgress, match="does not say"):
        watchdog.pass_time(PROGRESS_S_MAX + 3 * LOOK_S)
