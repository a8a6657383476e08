"""Two histories gone through wholly: a crash at each step, and each call to Kafka failing."""

from contextlib import closing
from random import Random

import pytest

from tests.simulation import oracle, traces
from tests.simulation.fake_clients import Faults
from tests.simulation.schedules import Schedule


def a_schedule(seed: int, *, kept: bool) -> Schedule:
    """A schedule with two owners at least, on two inputs; the first one's faults come later."""
    schedule = Schedule(job=traces.a_job(2, quarantines=True), chance=Random(seed), kept=kept)
    traces.send(schedule, records=12)
    schedule.hand_over()
    return schedule


def end(schedule: Schedule) -> None:
    schedule.settle()
    inputs = schedule.job.inputs
    oracle.check_traces(schedule.world, schedule.broker, inputs, whole_order=True)


@pytest.mark.parametrize(("seed", "kept"), [(1, False), (1, True)], ids=["memory", "on disk"])
def test_a_crash_at_each_step(seed, kept) -> None:
    """
    Whichever step a worker dies at, from its first to its last, each record is seen once.
    """
    step, through = 0, False
    while not through:
        schedule = a_schedule(seed, kept=kept)
        with closing(schedule.world):
            schedule.run(step)
            through = schedule.through()
            schedule.kill()
            end(schedule)
        step += 1

    assert step > 100


@pytest.mark.parametrize("lost_answer", [False, True], ids=["lost", "answer lost"])
@pytest.mark.parametrize("seed", range(2))
def test_each_call_fails(seed, lost_answer) -> None:
    """
    Whichever call to Kafka fails, before or after it had its effect, each record is seen once.
    """
    number, through = 0, False
    while not through:
        schedule = a_schedule(seed, kept=False)
        with closing(schedule.world):
            faults: Faults = schedule.owner.faults
            faults.fail_at, faults.lost_answer = number, lost_answer
            while not schedule.through() and schedule.owner.alive:
                schedule.world.step()
            through = not faults.injected
            end(schedule)
        number += 1

    assert number >= 30
