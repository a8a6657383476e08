"""Loads a workload into Kafka, and knows what must come out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from agents.rerouting import owner_of
from bench.answers import Answers, Reference
from bench.workload import TOPICS, Crowd, Workload
from leadvelocity.kafka import ANSWER_S_MAX, Extent, admin_client, extents
from leadvelocity.roles import registry_of
from leadvelocity.settings import Settings
from schemas.contracts import contract
from schemas.encoding import Encoder

LOADING = {
    "enable.idempotence": True,
    "linger.ms": 20,
    "batch.size": 262_144,
    "queue.buffering.max.messages": 500_000,
    "log_level": 0,
}
FLUSH_S_MAX = 120.0
TOLD_EACH = 250_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Loaded topics.

    Parameters
    ----------
    topics : mapping of str to str
        What each input topic of the product is called here.
    extents : tuple of Extent
        Where each partition begins and ends.
    answers : Answers or None
        None: there are too many leads to hold them.
    """

    topics: Mapping[str, str]
    extents: tuple[Extent, ...]
    answers: Answers | None

    @property
    def records(self) -> int:
        """How many there are."""
        return sum(each.end - each.begin for each in self.extents)


def live_inputs() -> Inputs:
    """Return the topics of the product, to which events come while an engine runs."""
    return Inputs(topics={topic: topic for topic in TOPICS}, extents=(), answers=None)


def load(
    settings: Settings,
    workload: Workload | Crowd,
    progress: Progress,
    *,
    prefix: str = "",
    checked: bool = True,
) -> Inputs:
    """Send a workload to the input topics, emptied first.

    Parameters
    ----------
    prefix : str
        Of the topics' names; with none, the topics of the product itself.
    checked : bool
        Fold the reference along the way.
    """
    names = {topic: f"{prefix}{topic}" for topic in TOPICS}
    new = create_topics(settings, list(names.values()))
    truncate(settings, [name for name in names.values() if name not in new])
    registry = registry_of(settings)
    encoders = {
        topic: Encoder(contract(topic), registry.id_of(contract(topic))) for topic in TOPICS
    }
    owner = lru_cache(workload.leads)(lambda lead: owner_of(lead, settings.topics.partitions))
    producer = Producer({**settings.kafka.connection().librdkafka(), **LOADING})
    reference = Reference()
    for count, sent in enumerate(workload.sent(), start=1):
        if checked:
            reference.add(sent)
        producer.produce(
            names[sent.topic],
            key=sent.lead_id.encode(),
            value=encoders[sent.topic].encode(sent.record),
            partition=owner(sent.lead_id),
        )
        if count % 1_000 == 0:
            producer.poll(0 if len(producer) < LOADING["queue.buffering.max.messages"] // 2 else 1)
        if count % TOLD_EACH == 0:
            progress(f"{count:,} of {workload.events:,} events are loaded")
    producer.flush(FLUSH_S_MAX)
    return Inputs(
        topics=names,
        extents=tuple(extents(settings.kafka.connection(), list(names.values()))),
        answers=reference.answers if checked else None,
    )


def create_topics(
    settings: Settings, names: Sequence[str], *, configuration: Mapping[str, str] | None = None
) -> list[str]:
    """Make the topics that are missing, as many partitions each as the product's; return them."""
    connection = settings.kafka.connection()
    there = admin_client(connection).list_topics(timeout=ANSWER_S_MAX).topics
    admin = admin_client(connection)
    missing = [
        NewTopic(
            name,
            num_partitions=settings.topics.partitions,
            replication_factor=1,
            config=dict(configuration or {}),
        )
        for name in names
        if name not in there
    ]
    if missing:
        for future in admin.create_topics(missing, operation_timeout=ANSWER_S_MAX).values():
            future.result(ANSWER_S_MAX)
    return [each.topic for each in missing]


def delete_topics(settings: Settings, *, prefix: str) -> None:
    """Delete the topics whose names begin with `prefix`."""
    admin = admin_client(settings.kafka.connection())
    names = [each for each in admin.list_topics(timeout=ANSWER_S_MAX).topics if prefix in each]
    if names:
        for future in admin.delete_topics(names, operation_timeout=ANSWER_S_MAX).values():
            future.result(ANSWER_S_MAX)


def truncate(settings: Settings, topics: Sequence[str]) -> None:
    """Drop all records of topics; offsets go on."""
    if not topics:
        return
    connection = settings.kafka.connection()
    ends = [
        TopicPartition(each.topic, each.partition, each.end)
        for each in extents(connection, topics)
        if each.end > each.begin
    ]
    if ends:
        admin = admin_client(connection)
        for future in admin.delete_records(ends).values():
            future.result(ANSWER_S_MAX)
