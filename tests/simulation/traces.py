"""Schedules of the tracing reducer: the engine alone, with nothing of leads and scores."""

from contextlib import closing
from random import Random

from tests.simulation import oracle
from tests.simulation.parts import REAL, Parts
from tests.simulation.schedules import LEADS, Schedule
from tests.simulation.tracer import TraceFormat, Tracer
from tests.simulation.virtual_time import START_MS
from tests.simulation.worker import Job

INPUTS = ("a", "b", "c")


def run(seed: int, parts: Parts = REAL) -> Schedule:
    """Run the schedule of a seed.

    Raises
    ------
    Broken, Stuck
        A promise does not hold.
    """
    chance = Random(seed)
    job = Job(
        inputs=INPUTS[: chance.choice((1, 2, 2, 3))],
        reducer=lambda chance, process: Tracer(chance, process.give_up),
        state_format=TraceFormat(),
        ledger=parts.ledger,
        quarantines=chance.random() < 0.3,
    )
    faults = chance.choice(((0.0, 0.0), (0.0, 0.0), (0.0, 0.01), (0.004, 0.004), (0.02, 0.01)))
    kept = chance.random() < 0.3
    schedule = Schedule(job=job, chance=chance, kept=kept, before=faults[0], after=faults[1])
    growing = chance.random() < 0.3
    with closing(schedule.world):
        _play(schedule, growing=growing)
    return schedule


def _play(schedule: Schedule, *, growing: bool) -> None:
    chance = schedule.chance
    send(schedule, records=chance.randint(10, 16))
    schedule.hand_over()
    for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4))):
        schedule.run(chance.randint(0, chance.choice((60, 150, 300))))
        schedule.disturb()
        if growing:
            send(schedule, records=chance.randint(0, 5))
    schedule.settle()
    oracle.check_traces(schedule.world, schedule.broker, schedule.job.inputs, whole_order=not growing)


def send(schedule: Schedule, *, records: int) -> None:
    """Append records to the inputs, some at the same moment; each input has one at least."""
    chance = schedule.chance
    at_ms = START_MS + len(schedule.workers) * 1_000
    inputs = schedule.job.inputs
    for number in range(records):
        at_ms += chance.randint(0, 2)
        topic = inputs[number] if number < len(inputs) else chance.choice(inputs)
        schedule.send(topic, chance.choice(LEADS), at_ms=at_ms)
