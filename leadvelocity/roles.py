"""The roles: builds a worker or a sink from the settings and runs it until it is told to stop."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Callable, Mapping

from agents import lead_scoring
from agents.decoded_states import DecodedStates
from agents.event_reader import EventReader
from agents.lead_scoring import LeadScoring, ScoringContext
from agents.lead_velocity import FunnelStateFormat, LeadVelocity, VelocityContext
from agents.rows import RowCollector
from agents.schema_lookup import SchemaLookup
from leadvelocity.compiled import compiled_modules, said_of
from leadvelocity.kafka import topic_ids
from leadvelocity.model_publisher import ModelPublisher
from leadvelocity.settings import Settings, file_text, revealed
from leadvelocity.topics import TASKS, WRAPPED_BYTES_MAX
from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.event_decoding import EventDecoder
from schemas.registry import Registry
from schemas.topics import (
    DEAD_LETTERS,
    INPUT_TOPICS,
    LEAD_VELOCITY,
    OUTPUT_TOPICS,
    REROUTED_EVENTS,
    TIER_CHANGES,
)
from schemas.writer_schema import fingerprint, parse
from scoring.classification import fields_seen
from scoring.model import Model
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse
from streams.app import create_app, run
from streams.definition import TaskDefinition
from streams.kafka_clients import AiokafkaClients
from streams.kafka_ledger import KafkaLedgers, changelog_topic
from streams.memory_store import MemoryStores
from streams.rocks_store import RocksStores
from streams.runtime import Runtime
from streams.settings import EngineSettings
from streams.sink_ledger import SinkLedger
from streams.state_folder import claim, claim_free
from streams.state_store import StateStores

logger = logging.getLogger(__name__)

PARTIALS_MAX = 20_000
"""Windows that a velocity task holds: two weeks of minutes."""

CHATTY_LOGGERS = ("aiokafka", "faust", "mode", "httpx2")
"""Libraries that tell of every request."""

GARBAGE_OBJECTS_MIN = 1_000_000
"""New objects between two looks for garbage in cycles."""

VELOCITY_LINGER_MS = 250
"""Between two transactions of a velocity task: nobody waits for a funnel's speed as for a lead."""

SINK_LINGER_MS = 250
SINK_BATCH_RECORDS_MAX = 2_000
SINK_PENDING_RECORDS_MAX = 5_000

SINK_STOP_S_MAX = 10.0
"""How long an insert under way may take once the sink is told to stop; the next owner writes it
again."""


def run_worker(settings: Settings, model: Model) -> None:
    """Score until SIGTERM or SIGINT; loses nothing.

    Raises
    ------
    RegistryUnavailable, UnknownSchema
        If the contracts cannot be looked up; run `leadvelocity setup` first.
    """
    registry = registry_of(settings)
    clients = AiokafkaClients(settings.kafka.connection(), settings.engine)
    changelogs = [changelog_topic(settings.engine.app_id, task) for task in TASKS]
    ledgers = KafkaLedgers(
        clients=clients,
        settings=settings.engine,
        stores=_stores(settings),
        changelog_ids=topic_ids(settings.kafka.connection(), changelogs),
        clock_ms=_clock_ms,
    )
    definitions = (
        _scoring(settings, model, registry, ledgers),
        _velocity(model, registry, ledgers),
    )
    publisher = ModelPublisher(clickhouse_of(settings), model)
    _run(
        Runtime(
            brokers=settings.kafka.bootstrap_servers,
            clients=clients,
            stores=ledgers.stores,
            settings=settings.engine,
            definitions=definitions,
            clock_ms=_clock_ms,
            terms=f"states of {model.state_version}",
        ),
        at_start=publisher.start,
        at_end=publisher.stop,
    )


def spare_garbage_collection() -> None:
    """Look for cycles seldom: roles make many objects that live on for a while, and no cycles."""
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS_MIN, 50, 100)


def run_sink(settings: Settings) -> None:
    """Store every output topic in ClickHouse until SIGTERM or SIGINT."""
    registry = registry_of(settings)
    sink = ClickHouseSink(clickhouse_of(settings))
    engine = EngineSettings(
        app_id=f"{settings.engine.app_id}-sink",
        linger_ms=SINK_LINGER_MS,
        catch_up_linger_ms=SINK_LINGER_MS,
        batch_records_max=SINK_BATCH_RECORDS_MAX,
        pending_records_max=SINK_PENDING_RECORDS_MAX,
        session_timeout_ms=settings.engine.session_timeout_ms,
        markers_every_s=settings.engine.markers_every_s,
        stop_s_max=min(SINK_STOP_S_MAX, settings.engine.stop_s_max),
        progress_s_max=settings.engine.progress_s_max,
    )
    writers = WriterSchemas()
    decoders = _decoders(OUTPUT_TOPICS, registry, writers)
    lookup = SchemaLookup(writers, registry)
    _run(
        Runtime(
            brokers=settings.kafka.bootstrap_servers,
            clients=AiokafkaClients(settings.kafka.connection(), engine),
            stores=MemoryStores(),
            settings=engine,
            definitions=tuple(
                _sink(topic, sink, decoders[topic], lookup) for topic in OUTPUT_TOPICS
            ),
            clock_ms=_clock_ms,
        ),
        at_end=sink.close,
    )


def registry_of(settings: Settings) -> Registry:
    """Return the registry client of the settings."""
    return Registry(
        settings.registry.url,
        user=settings.registry.username,
        password=revealed(settings.registry.password),
        ca_file=file_text(settings.registry.ca_file),
    )


def clickhouse_of(settings: Settings) -> ClickHouse:
    """Return the ClickHouse connection of the settings."""
    section = settings.clickhouse
    return ClickHouse(
        host=section.host,
        port=section.port,
        user=section.user,
        password=section.password.get_secret_value(),
        database=section.database,
        secure=section.secure,
        verify=section.verify,
        ca_file=file_text(section.ca_file),
    )


def _stores(settings: Settings) -> StateStores:
    """Return where local copies of states are; takes the folder for this process."""
    engine = settings.engine
    if engine.store == "memory":
        return MemoryStores()
    if settings.state_dir is None:
        folder = claim_free(settings.directory / "state")
    else:
        folder = claim(settings.state_dir)
    return RocksStores(
        folder.path / engine.app_id,
        memory_bytes_max=engine.store_memory_bytes_max,
        write_buffer_bytes_max=engine.store_write_buffer_bytes_max,
    )


def _scoring(
    settings: Settings, model: Model, registry: Registry, ledgers: KafkaLedgers
) -> TaskDefinition:
    writers = WriterSchemas(allowed=_allowed(settings))
    context = ScoringContext(
        model=model,
        partitions=settings.topics.partitions,
        reader=EventReader(
            {
                topic: EventDecoder(
                    topic,
                    writers,
                    value_bytes_max=settings.engine.record_bytes_max,
                    kept=None if settings.engine.scored_events else fields_seen(model),
                )
                for topic in INPUT_TOPICS
            },
            SchemaLookup(writers, registry),
            future_ms_max=settings.engine.future_ms_max,
            record_bytes_max=settings.engine.record_bytes_max,
        ),
        encoders={
            topic: Encoder(contract(topic), registry.id_of(contract(topic)))
            for topic in OUTPUT_TOPICS
        },
        scored_events=settings.engine.scored_events,
        lead_scores=settings.engine.lead_scores,
        decoded=DecodedStates(settings.engine.cached_leads_max),
        state_bytes_max=settings.engine.state_bytes_max,
    )
    return TaskDefinition(
        name="scoring",
        inputs=(*INPUT_TOPICS, REROUTED_EVENTS),
        holes=frozenset({REROUTED_EVENTS}),
        reducer=lambda partition: LeadScoring(context, partition=partition),
        ledger=lambda partition: ledgers.ledger("scoring", partition, lead_scoring.STATE_FORMAT),
        timers=True,
        quarantines=True,
    )


def _allowed(settings: Settings) -> frozenset[str] | None:
    listed = settings.registry.allowed_fingerprints
    if listed is None:
        return None
    return listed | {fingerprint(parse(contract(topic).text)) for topic in INPUT_TOPICS}


def _velocity(model: Model, registry: Registry, ledgers: KafkaLedgers) -> TaskDefinition:
    velocity, letters = contract(LEAD_VELOCITY), contract(DEAD_LETTERS)
    context = VelocityContext(
        top_rank=len(model.tiers) - 1,
        decoder=_decoders((TIER_CHANGES,), registry, WriterSchemas())[TIER_CHANGES],
        encoder=Encoder(velocity, registry.id_of(velocity)),
        letters=Encoder(letters, registry.id_of(letters)),
        partials_max=PARTIALS_MAX,
    )
    return TaskDefinition(
        name="velocity",
        inputs=(TIER_CHANGES,),
        holes=frozenset({TIER_CHANGES}),
        reducer=lambda partition: LeadVelocity(context, partition=partition),
        ledger=lambda partition: ledgers.ledger("velocity", partition, FunnelStateFormat()),
        linger_ms=VELOCITY_LINGER_MS,
        quarantines=True,
    )


def _sink(
    topic: str, sink: ClickHouseSink, decoder: Decoder, lookup: SchemaLookup
) -> TaskDefinition:
    return TaskDefinition(
        name=f"sink-{topic}",
        inputs=(topic,),
        holes=frozenset({topic}),
        reducer=lambda partition: RowCollector(topic, partition, decoder, lookup),
        ledger=lambda partition: SinkLedger(sink, topic=topic, partition=partition),
        timers=True,
        patient=True,
    )


def _decoders(
    topics: tuple[str, ...], registry: Registry, writers: WriterSchemas
) -> Mapping[str, Decoder]:
    """Return decoders of our own topics; the schemas of today's contracts are known at once."""
    for topic in topics:
        schema_id = registry.id_of(contract(topic))
        writers.learn(schema_id, registry.schema(schema_id))
    return {
        topic: Decoder(contract(topic), writers, value_bytes_max=WRAPPED_BYTES_MAX)
        for topic in topics
    }


def _run(
    runtime: Runtime,
    *,
    at_start: Callable[[], None] = lambda: None,
    at_end: Callable[[], None] = lambda: None,
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logger.info("the hot path is %s", said_of(compiled_modules()))
    for name in CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    spare_garbage_collection()
    at_start()  # may log

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            await run(create_app(runtime), stop)
        finally:
            at_end()  # before the loop waits for its threads

    asyncio.run(main())


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000
