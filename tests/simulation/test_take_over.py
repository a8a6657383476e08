"""A take-over that gets no further ends its worker, whatever the client does to it."""

import asyncio
from contextlib import closing
from random import Random

import pytest
from aiokafka import TopicPartition

from streams.exits import NoProgress
from streams.watchdog import Watchdog
from tests.simulation import traces
from tests.simulation.schedules import Schedule

STEPS_MAX = 100_000
PROGRESS_S_MAX = 10.0


def a_take_over(answer) -> Schedule:
    """Return a schedule whose owner asks Kafka for its group's offsets, and gets that answer."""
    schedule = Schedule(job=traces.a_job(1), chance=Random(0))
    traces.send(schedule, records=1)
    schedule.hand_over()
    schedule.owner.consumer.committed = answer
    return schedule


def test_a_cancellation_that_is_not_ours_ends_the_worker() -> None:
    """
    A client that lets a cancellation of its own out leaves no worker with a task that is dead.
    """

    async def cancelled(_: TopicPartition) -> None:
        raise asyncio.CancelledError

    schedule = a_take_over(cancelled)
    with closing(schedule.world):
        schedule.world.run(STEPS_MAX, until=lambda: not schedule.owner.alive)

        assert "not ours" in schedule.owner.process.reason


def test_a_take_over_that_stands_still_ends_the_worker() -> None:
    """
    Where a client never answers, the watchdog waits for the take-over no longer than for records.
    """

    async def silent(_: TopicPartition) -> None:
        await asyncio.sleep(1e9)

    schedule = a_take_over(silent)
    owner = schedule.owner
    watchdog = Watchdog(
        owner.consumer,
        TopicPartition(schedule.job.inputs[0], 0),
        lambda: owner.tasks,
        progress_s_max=PROGRESS_S_MAX,
    )
    with closing(schedule.world):
        watch = owner.process.create_task(watchdog.watch())
        schedule.world.run(STEPS_MAX, until=watch.done)

        assert PROGRESS_S_MAX < schedule.world.now_s < 2 * PROGRESS_S_MAX
        with pytest.raises(NoProgress, match="seeking"):
            watch.result()
