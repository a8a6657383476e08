"""An agent on state in memory, without Kafka and without a registry."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import fastavro

from agents.decoded_states import DecodedStates
from agents.event_reader import EventReader
from agents.lead_scoring import STATE_FORMAT, LeadScoring, ScoringContext
from agents.records import Headers, Record
from agents.reducer import Effects
from agents.schema_lookup import SchemaLookup
from leadvelocity.scoring_model import load_model
from schemas.contracts import contract
from schemas.decoding import WriterSchemas
from schemas.encoding import Encoder
from schemas.event_decoding import EventDecoder
from schemas.events import event_record
from schemas.framing import HEAD_BYTES
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS
from schemas.writer_schema import parse
from scoring.event import Event, EventType
from streams.changelog import EngineFormat
from streams.memory_store import MemoryStore

LEADS_AT_HAND_MAX = 1_000
NOW_MS = 1_760_000_000_000
SCHEMA_IDS = {topic: number for number, topic in enumerate((*INPUT_TOPICS, *OUTPUT_TOPICS), 1)}


class NoRegistry:
    """All schemas are known beforehand."""

    def schema(self, schema_id: int) -> str:
        raise AssertionError(schema_id)


def writers() -> WriterSchemas:
    known = WriterSchemas()
    for topic, number in SCHEMA_IDS.items():
        known.learn(number, contract(topic).text)
    return known


def encoders() -> dict[str, Encoder]:
    return {topic: Encoder(contract(topic), SCHEMA_IDS[topic]) for topic in OUTPUT_TOPICS}


def scoring_context(**given) -> ScoringContext:
    known = writers()
    reader = EventReader(
        {topic: EventDecoder(topic, known) for topic in INPUT_TOPICS},
        SchemaLookup(known, NoRegistry()),
        future_ms_max=300_000,
        record_bytes_max=1 << 20,
    )
    return ScoringContext(
        model=load_model(None),
        partitions=1,
        reader=reader,
        encoders=encoders(),
        **{"decoded": DecodedStates(LEADS_AT_HAND_MAX), **given},
    )


def record_of(event: Event, *, offset: int = 0, headers: Headers = ()) -> Record:
    topic, fields = event_record(event)
    encoder = Encoder(contract(topic), SCHEMA_IDS[topic])
    return Record(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp_ms=NOW_MS,
        key=event.lead_id.encode(),
        value=encoder.encode(fields),
        headers=headers,
    )


def an_event(number: int, *, lead_id: str = "ada", profile: dict | None = None) -> Event:
    form = profile is not None
    return Event(
        type=EventType.FORM_FILL if form else EventType.WEBSITE_VISIT,
        event_id=f"event-{number}",
        lead_id=lead_id,
        occurred_at_ms=NOW_MS - 100_000 + number,
        machine=None,
        fields={"form_id": "demo"} if form else {"url": "https://example.com/pricing"},
        profile=profile or {},
    )


def decoded(value: bytes | None, topic: str) -> dict:
    """Read an output without our decoder."""
    assert value is not None
    record: Any = fastavro.schemaless_reader(
        BytesIO(value[HEAD_BYTES:]), parse(contract(topic).text)
    )
    return record


@dataclass
class Scoring:
    """The scoring agent of one partition; what it commits is applied at once."""

    context: ScoringContext = field(default_factory=scoring_context)
    store: MemoryStore = field(default_factory=lambda: MemoryStore(EngineFormat(STATE_FORMAT)))

    def __post_init__(self) -> None:
        self.agent = LeadScoring(self.context, partition=0)
        self.agent.restore(self.store)

    def fold(self, *records: Record) -> Effects:
        self.agent.fold(self.agent.read(records), now_ms=NOW_MS)
        return self.commit()

    def commit(self) -> Effects:
        effects = self.agent.take()
        self.store.apply(effects.state, offset=self.store.offset + 1)
        return effects

    def outputs(self, effects: Effects, topic: str) -> list[dict]:
        return [decoded(each.value, topic) for each in effects.outputs if each.topic == topic]
