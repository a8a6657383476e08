"""Schedules with records that kill whoever reads or folds them, and schedules without."""

from contextlib import closing
from random import Random

from tests.simulation import oracle
from tests.simulation.oracle import Broken
from tests.simulation.parts import REAL, Parts
from tests.simulation.schedules import CALM_STEPS_MAX, LEADS, Schedule
from tests.simulation.tracer import DEADLY_TO_FOLD, DEADLY_TO_READ, LETTERS, place
from tests.simulation.traces import a_job, send, send_one
from tests.simulation.virtual_time import START_MS, Stuck

FAULTY_OWNERS_MAX = 20
"""After so many owners no call fails any more."""

OWNERS_MAX = 30
"""So many owners may come then until all is through: of each deadly record some six die."""

FAULTS = (0.0, 0.0, 0.002)
"""Chances that a call fails before it has an effect, and likewise after."""

STORM_S = 20.0
"""Mean time between kills from outside. Calls take some five times as long here as they do with a
real broker, so this is a storm of fifteen a minute, as in the fault matrix."""


def run(seed: int, parts: Parts = REAL) -> Schedule:
    """Run the schedule of a seed.

    Raises
    ------
    Broken, Stuck
        A promise does not hold.
    """
    chance = Random(seed)
    job = a_job(chance.choice((1, 2, 2)), parts, quarantines=parts.quarantines)
    kept = chance.random() < 0.3
    fault = chance.choice(FAULTS)
    schedule = Schedule(job=job, chance=chance, kept=kept, before=fault, after=fault)
    with closing(schedule.world):
        send(schedule, records=chance.randint(4, 8))
        deadly = [_send_deadly(schedule) for _ in range(chance.choice((0, 1, 1, 2)))]
        send(schedule, records=chance.randint(4, 8))
        schedule.hand_over()
        _storm(schedule)
    letters = [each.key or b"" for each in oracle.visible(schedule.broker, LETTERS)]
    if sorted(letters) != sorted(deadly):
        raise Broken(f"condemned {letters}, deadly are {deadly}")
    oracle.check_traces(schedule.world, schedule.broker, job.inputs, whole_order=not deadly)
    return schedule


def _send_deadly(schedule: Schedule) -> bytes:
    chance = schedule.chance
    topic = chance.choice(schedule.job.inputs)
    value = chance.choice((DEADLY_TO_READ, DEADLY_TO_FOLD))
    offset = schedule.last_offset(topic) + 1
    send_one(schedule, topic, chance.choice(LEADS), value, at_ms=START_MS)
    return place(topic, offset)


def _storm(schedule: Schedule) -> None:
    """Go on until all is through, with kills from outside and commits that fail meanwhile."""
    chance, world = schedule.chance, schedule.world
    stormy = chance.random() < 0.6
    next_kill_s = chance.expovariate(1 / STORM_S)
    for _ in range(CALM_STEPS_MAX):
        schedule.run(10)
        if stormy and world.now_s > next_kill_s:
            if chance.random() < 0.7:
                schedule.kill()
            else:
                schedule.leave()
            next_kill_s = world.now_s + chance.expovariate(1 / STORM_S)
        if len(schedule.workers) > FAULTY_OWNERS_MAX:
            schedule.before = schedule.after = 0.0
        if len(schedule.workers) > FAULTY_OWNERS_MAX + OWNERS_MAX:
            raise Stuck(f"{OWNERS_MAX} owners died, and the records are not through")
        if schedule.through():
            break
    schedule.settle()
    world.close()
