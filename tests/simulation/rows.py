"""Schedules of the sink: the real collector and ledger, and a store that is away at times."""

import json
from contextlib import closing
from functools import cache
from random import Random
from typing import Any

from aiokafka import TopicPartition

from agents.rows import RowCollector
from agents.schema_lookup import SchemaLookup
from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.outputs import scored_event_record
from schemas.topics import SCORED_EVENTS
from scoring.outcome import Outcome
from sinks.memory import MemorySink
from streams.sink_ledger import SinkLedger
from tests.simulation.flaky_sink import REFUSED, FlakySink
from tests.simulation.no_registry import NoRegistry
from tests.simulation.oracle import Broken, visible
from tests.simulation.schedules import CALM_STEPS_MAX, SHUT_OUT_STEPS, Schedule
from tests.simulation.tracer import TraceFormat
from tests.simulation.virtual_time import START_MS, Stuck
from tests.simulation.worker import MARKERS_OFTEN, Job

INPUT = TopicPartition(SCORED_EVENTS, 0)
FOREIGN = b"foreign"
HISTORY_MS = 100_000


def run(seed: int, ledger: type[SinkLedger] = SinkLedger) -> Schedule:
    """Run the schedule of a seed.

    Raises
    ------
    Broken, Stuck
        A promise does not hold.
    """
    chance = Random(seed)
    store = MemorySink()
    away = chance.choice((0.0, 0.05, 0.3))
    decoder, lookup, _ = _coding()

    def a_ledger(shared: Any, **_: Any) -> SinkLedger:
        process = schedule.owner.process
        sink = FlakySink(store, chance, lambda: process.alive, away)
        return ledger(sink, topic=SCORED_EVENTS, partition=0)

    job = Job(
        inputs=(SCORED_EVENTS,),
        reducer=lambda *_: RowCollector(SCORED_EVENTS, 0, decoder, lookup),
        state_format=TraceFormat(),
        ledger=a_ledger,
        holes=frozenset({SCORED_EVENTS}),
        timers=True,
        patient=True,
        settings=MARKERS_OFTEN,
    )
    schedule = Schedule(job=job, chance=chance)
    with closing(schedule.world):
        _send(schedule, records=chance.randint(10, 25))
        schedule.hand_over()
        for _ in range(chance.choice((0, 1, 2, 3, 4))):
            schedule.run(chance.randint(0, 200))
            schedule.disturb()
            if chance.random() < 0.3:
                _send(schedule, records=chance.randint(0, 5))
        _settle(schedule, store)
        _age(schedule)
    _check(schedule, store)
    return schedule


@cache
def _coding() -> tuple[Decoder, SchemaLookup, Encoder]:
    writers = WriterSchemas()
    writers.learn(1, json.dumps(contract(SCORED_EVENTS).schema))
    lookup = SchemaLookup(writers, NoRegistry())
    return (
        Decoder(contract(SCORED_EVENTS), writers),
        lookup,
        Encoder(contract(SCORED_EVENTS), 1),
    )


def _send(schedule: Schedule, *, records: int) -> None:
    """Append records as workers do, in transactions, some of which are aborted."""
    broker, chance = schedule.broker, schedule.chance
    epoch = broker.init_producer("worker")
    log = broker.logs[INPUT]
    at_ms = START_MS - chance.choice((0, HISTORY_MS))
    for number in range(records):
        lead_id = REFUSED if chance.random() < 0.05 else f"lead-{number}"
        foreign = chance.random() < 0.05
        broker.append("worker", epoch, INPUT, [_record(lead_id, foreign=foreign)])
        log.entries[-1].timestamp_ms = at_ms
        if chance.random() < 0.3:
            broker.end("worker", epoch, committed=chance.random() < 0.8)
    broker.append("worker", epoch, INPUT, [_record("last")])
    broker.end("worker", epoch, committed=True)
    broker.settle()


def _record(lead_id: str, *, foreign: bool = False) -> tuple[bytes, bytes, tuple[()]]:
    _, _, encoder = _coding()
    record = scored_event_record(
        lead_id=lead_id, occurred_at_ms=0, outcome=Outcome.DECAY, model_version="v"
    )
    return lead_id.encode(), FOREIGN if foreign else encoder.encode(record), ()


def _settle(schedule: Schedule, store: MemorySink) -> None:
    """Go on until the store has all, and so long beyond as others may still write.

    The last offset is a marker's: a sink goes on there only if that is noted.
    """
    end = schedule.broker.logs[INPUT].stable_end
    for _ in range(CALM_STEPS_MAX // 20):
        schedule.run(20)
        if store.positions(SCORED_EVENTS).get(0) == end:
            break
    else:
        raise Stuck("the store never has all records, or its position stays behind")
    schedule.run(SHUT_OUT_STEPS)
    for worker in schedule.workers:
        schedule.blame(worker)


def _age(schedule: Schedule) -> None:
    """Let retention take all there is: the next owner must not think that it lost something."""
    log = schedule.broker.logs[INPUT]
    log.begin = log.stable_end
    schedule.kill()
    schedule.run(SHUT_OUT_STEPS)


def _check(schedule: Schedule, store: MemorySink) -> None:
    """Each record is one row, or one of the rejected."""
    decoder, _, _ = _coding()
    rows, rejected = {}, []
    for entry in visible(schedule.broker, SCORED_EVENTS):
        lead_id = None if entry.value == FOREIGN else decoder.decode(entry.value)["lead_id"]
        if lead_id in (None, REFUSED):
            rejected.append(entry.offset)
        else:
            rows[entry.offset] = lead_id
    held = {each["source_offset"]: each["lead_id"] for each in store.rows(SCORED_EVENTS)}
    if held != rows:
        raise Broken(f"missing {rows.keys() - held.keys()}, strange {held.keys() - rows.keys()}")
    if [each.offset for each in store.rejected()] != rejected:
        raise Broken(f"rejected {store.rejected()}, should be {rejected}")
