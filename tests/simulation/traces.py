"""Schedules of the tracing reducer: the engine alone, with nothing of leads and scores."""

from contextlib import closing
from dataclasses import replace
from random import Random

from aiokafka import TopicPartition

from tests.simulation import oracle
from tests.simulation.parts import REAL, Parts
from tests.simulation.schedules import LEADS, Schedule
from tests.simulation.tracer import TraceFormat, Tracer
from tests.simulation.virtual_time import START_MS
from tests.simulation.worker import MARKERS_OFTEN, Job

INPUTS = ("a", "b", "c")
SENT_IN_TRANSACTIONS = "c"

FAULTS = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.01), (0.004, 0.004), (0.02, 0.01))
"""Chances that a call fails before it has an effect, and after."""


def a_job(inputs: int, parts: Parts = REAL, *, quarantines: bool = False) -> Job:
    """Return what the workers do: trace so many inputs."""
    return Job(
        inputs=INPUTS[:inputs],
        reducer=lambda chance, process: Tracer(chance, process.give_up),
        state_format=TraceFormat(),
        ledger=parts.ledger,
        holes=frozenset({SENT_IN_TRANSACTIONS}),
        quarantines=quarantines,
    )


def run(seed: int, parts: Parts = REAL) -> Schedule:
    """Run the schedule of a seed.

    Raises
    ------
    Broken, Stuck
        A promise does not hold.
    """
    chance = Random(seed)
    job = a_job(chance.choice((1, 2, 2, 3)), parts, quarantines=chance.random() < 0.3)
    if chance.random() < 0.3:
        job = replace(job, settings=MARKERS_OFTEN)
    before, after = chance.choice(FAULTS)
    kept = chance.random() < 0.3
    schedule = Schedule(job=job, chance=chance, kept=kept, before=before, after=after)
    growing = chance.random() < 0.3
    with closing(schedule.world):
        send(schedule, records=chance.randint(10, 16))
        schedule.hand_over()
        for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4))):
            schedule.run(chance.randint(0, chance.choice((60, 150, 300))))
            schedule.disturb()
            if growing:
                send(schedule, records=chance.randint(0, 5))
        schedule.settle()
    oracle.check_traces(schedule.world, schedule.broker, job.inputs, whole_order=not growing)
    return schedule


def send(schedule: Schedule, *, records: int) -> None:
    """Append records to the inputs, some at the same moment; each input has one at least."""
    chance = schedule.chance
    at_ms = START_MS + len(schedule.workers) * 1_000
    inputs = schedule.job.inputs
    for number in range(records):
        at_ms += chance.randint(0, 2)
        topic = inputs[number] if number < len(inputs) else chance.choice(inputs)
        send_one(schedule, topic, chance.choice(LEADS), at_ms=at_ms)


def send_one(schedule: Schedule, topic: str, key: bytes, value: bytes = b"", *, at_ms: int) -> None:
    """Append a record, with its event time for a timestamp; in some topics by a transaction."""
    partition = TopicPartition(topic, 0)
    record = (key, value, ())
    if topic != SENT_IN_TRANSACTIONS:
        schedule.broker.logs[partition].append([record], at_ms)
        return
    broker, chance = schedule.broker, schedule.chance
    epoch = broker.init_producer("sender")
    if chance.random() < 0.3:
        broker.append("sender", epoch, partition, [record])
        broker.end("sender", epoch, committed=False)
    broker.append("sender", epoch, partition, [record])
    broker.logs[partition].entries[-1].timestamp_ms = at_ms
    broker.end("sender", epoch, committed=True)
    broker.settle()
