"""Schedules of the real scoring agent: events, doubles and poison, and leads that cool."""

import json
from contextlib import closing
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from aiokafka import TopicPartition

from agents.decoded_states import DecodedStates
from agents.event_reader import EventReader
from agents.lead_scoring import MODEL_KEY, STATE_FORMAT, LeadScoring, ScoringContext
from agents.schema_lookup import SchemaLookup
from leadvelocity.replaying import Replay, change_row
from schemas import lead_state
from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.event_decoding import EventDecoder
from schemas.events import event_record
from schemas.outputs import tier_change_from_record
from schemas.topics import (
    DEAD_LETTERS,
    EMAIL_OPENS,
    OUTPUT_TOPICS,
    SCORED_EVENTS,
    TIER_CHANGES,
    WEBSITE_VISITS,
)
from scoring.event import Event, EventType
from scoring.model import Model, Signal, Tier
from streams.task import TaskState
from tests.simulation import oracle
from tests.simulation.fake_broker import FakeBroker
from tests.simulation.no_registry import NoRegistry
from tests.simulation.oracle import Broken
from tests.simulation.parts import REAL, Parts
from tests.simulation.schedules import Schedule
from tests.simulation.traces import FAULTS
from tests.simulation.virtual_time import START_MS
from tests.simulation.worker import SETTINGS, Job

INPUTS = (WEBSITE_VISITS, EMAIL_OPENS)
TYPES = (EventType.WEBSITE_VISIT, EventType.EMAIL_OPEN)
HALF_LIFE_MS = 150
SETTINGS_WITH_TIMERS = replace(SETTINGS, timer_grace_ms=5)
NEVER = float("-inf")
COOL_STEPS = 4_000

MODEL = Model(
    name="fast",
    signals=tuple(
        Signal(
            name=str(each),
            on=each,
            points=10.0,
            half_life_ms=half_life_ms,
            cap=None,
            group=None,
            when=None,
        )
        for each, half_life_ms in zip(TYPES, (HALF_LIFE_MS, HALF_LIFE_MS // 2), strict=True)
    ),
    groups=(),
    fit=(),
    tiers=(
        Tier(name="cold", enter=NEVER, exit=NEVER, dwell_ms=0),
        Tier(name="warm", enter=8.0, exit=5.0, dwell_ms=20),
        Tier(name="hot", enter=25.0, exit=18.0, dwell_ms=0),
    ),
    fast_half_life_ms=HALF_LIFE_MS,
    slow_half_life_ms=10 * HALF_LIFE_MS,
    machine_weight=0.5,
    recent_ids_max=8,
    version="v1",
    state_version="s1",
)


@cache
def _coding() -> tuple[ScoringContext, dict[str, Encoder], dict[str, Decoder]]:
    """The agent's context, encoders of the inputs and decoders of the outputs."""
    writers = WriterSchemas()
    ids = {topic: number for number, topic in enumerate((*INPUTS, *OUTPUT_TOPICS), start=1)}
    for topic, number in ids.items():
        writers.learn(number, json.dumps(contract(topic).schema))
    encoders = {topic: Encoder(contract(topic), number) for topic, number in ids.items()}
    decoders = {topic: Decoder(contract(topic), writers) for topic in ids}
    reader = EventReader(
        {topic: EventDecoder(topic, writers) for topic in INPUTS},
        SchemaLookup(writers, NoRegistry()),
        future_ms_max=SETTINGS.future_ms_max,
        record_bytes_max=SETTINGS.record_bytes_max,
    )
    context = ScoringContext(
        model=MODEL, partitions=1, reader=reader, encoders=encoders, decoded=DecodedStates(10)
    )
    return context, encoders, decoders


def run(seed: int, parts: Parts = REAL) -> Schedule:
    """Run the schedule of a seed.

    Raises
    ------
    Broken, Stuck
        A promise does not hold.
    """
    chance = Random(seed)
    context, _, _ = _coding()
    job = Job(
        inputs=INPUTS,
        reducer=lambda chance, process: LeadScoring(context, partition=0),
        state_format=STATE_FORMAT,
        ledger=parts.ledger,
        timers=True,
        quarantines=True,
        settings=SETTINGS_WITH_TIMERS,
    )
    before, after = chance.choice(FAULTS)
    schedule = Schedule(
        job=job, chance=chance, kept=chance.random() < 0.4, before=before, after=after
    )
    with closing(schedule.world):
        send(schedule, records=chance.randint(10, 16))
        schedule.hand_over()
        for _ in range(chance.choice((0, 1, 2, 3))):
            schedule.run(chance.randint(0, 300))
            schedule.disturb()
        schedule.settle()
        cool(schedule)
    check(schedule)
    return schedule


def send(schedule: Schedule, *, records: int) -> None:
    """Append events of three leads; some come twice, some cannot be read."""
    chance = schedule.chance
    _, encoders, _ = _coding()
    at_ms = START_MS - 400
    for number in range(records):
        at_ms += chance.randint(0, 40)
        kind = chance.choice(TYPES) if number > 1 else TYPES[number]
        event = Event(
            type=kind,
            event_id=f"e{number if chance.random() < 0.9 else 0}",
            lead_id=chance.choice(("ada", "bo", "cy")),
            occurred_at_ms=at_ms,
            machine=None,
            fields={"url": "https://example.org/"} if kind is TYPES[0] else {},
            profile={},
        )
        topic, record = event_record(event)
        value = encoders[topic].encode(record)
        if chance.random() < 0.1:
            value = b"poison"
        log = schedule.broker.logs[TopicPartition(topic, 0)]
        log.append([(event.lead_id.encode(), value, ())], START_MS)


def cool(schedule: Schedule) -> None:
    """Let time pass until all timers have fired and are committed."""

    def cold() -> bool:
        tasks = schedule.owner.tasks
        return bool(tasks) and all(
            each.state is TaskState.RUNNING
            and each._reducer.next_timer_ms() is None
            and not each._committer.pending
            for each in tasks
        )

    for _ in range(COOL_STEPS):
        schedule.run(10)
        if cold():
            break
    schedule.run(100)
    schedule.broker.settle()


def check(schedule: Schedule) -> None:
    """The published changes and the states are those of the published events, folded again."""
    broker = schedule.broker
    replay = Replay(model=MODEL)
    places = []
    for record in decoded(broker, SCORED_EVENTS):
        replay.scored(record)
        if record["input_topic"] is not None:
            places.append((record["input_topic"], record["input_offset"]))
    letters = [(each["topic"], each["offset"]) for each in decoded(broker, DEAD_LETTERS)]
    wanted = [(topic, each.offset) for topic in INPUTS for each in oracle.visible(broker, topic)]
    if sorted(places + letters) != sorted(wanted):
        raise Broken(f"scored {places}, buried {letters}, sent {wanted}")
    changes = [tier_change_from_record(each) for each in decoded(broker, TIER_CHANGES)]
    if list(map(change_row, changes)) != list(map(change_row, replay.changes)):
        raise Broken("tier changes are not those of the events as they were scored")
    entries = oracle.restored(schedule.world, broker, STATE_FORMAT)
    oracle.check_positions(broker, entries, INPUTS)
    states = {lead.encode(): lead_state.encode(each) for lead, each in replay.states.items()}
    theirs = {key: each for key, each in entries.items() if not key.startswith(b"\x00")}
    if theirs != states or entries[MODEL_KEY] != b"s1":
        raise Broken("states are not those of the events as they were scored")


def decoded(broker: FakeBroker, topic: str) -> list[dict[str, Any]]:
    _, _, decoders = _coding()
    return [decoders[topic].decode(each.value) for each in oracle.visible(broker, topic)]
