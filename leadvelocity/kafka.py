"""Kafka for commands: blocking, bounded, and with errors that say what to do."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupState,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ClusterMetadata, OffsetSpec  # type: ignore[attr-defined]

from leadvelocity.errors import CommandFailed
from streams.settings import KafkaConnection

ANSWER_S_MAX = 30.0
"""How long a command waits for Kafka to answer before it fails."""

ASK_S = 1.0
"""How long one question waits; between questions it is seen whether the broker lets us in."""

CONSUMED_MAX = 5_000
CONSUME_S = 0.05
"""The client waits so long for `CONSUMED_MAX` records before it hands over fewer."""

ASK_AGAIN_S = 0.2

TAIL_RECORDS = 64
"""How far before the end the last record is looked for first; markers of transactions lie there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where a partition begins and ends; `end` is the next offset to be given."""

    topic: str
    partition: int
    begin: int
    end: int


def admin_client(connection: KafkaConnection) -> AdminClient:
    """Return an admin client."""
    return AdminClient({**connection.librdkafka(), "log_level": 0})


@contextmanager
def kafka_errors(connection: KafkaConnection, doing: str) -> Iterator[None]:
    """Tell of Kafka's errors in one line, with the cure."""
    try:
        yield
    except KafkaException as error:
        raise CommandFailed(_text(connection, doing, error)) from error


def _text(connection: KafkaConnection, doing: str, error: KafkaException) -> str:
    cause = error.args[0] if error.args else error
    text = cause.str() if isinstance(cause, KafkaError) else str(cause)
    return (
        f"{doing}: Kafka at {connection.bootstrap_servers}: {text}; "
        "check that it runs (`leadvelocity stack status`) and the kafka settings"
    )


def partition_counts(connection: KafkaConnection) -> dict[str, int]:
    """Return the partition count of every topic there is.

    Raises
    ------
    CommandFailed
        When Kafka does not answer.
    """
    refusals: list[KafkaError] = []
    with kafka_errors(connection, "listing topics"):
        settings: dict[str, Any] = {**connection.librdkafka(), "log_level": 0}
        settings["error_cb"] = refusals.append
        admin = AdminClient(settings)
        listed = _topics_listed(admin, connection, refusals)
    return {name: len(each.partitions) for name, each in listed.topics.items()}


def topic_ids(connection: KafkaConnection, topics: Sequence[str]) -> dict[str, str]:
    """Return Kafka's identity of each topic; one that is deleted and made anew has another.

    Raises
    ------
    CommandFailed
        When a topic is missing, or Kafka does not answer.
    """
    admin = admin_client(connection)  # its answers end with it
    with kafka_errors(connection, f"asking for {', '.join(topics)}"):
        asked = admin.describe_topics(TopicCollection(list(topics)))
        return {topic: str(each.result(ANSWER_S_MAX).topic_id) for topic, each in asked.items()}


def _topics_listed(
    admin: AdminClient, connection: KafkaConnection, refusals: list[KafkaError]
) -> ClusterMetadata:
    """Ask again and again, since the client itself goes on trying where it is not let in."""
    until_s = time.monotonic() + ANSWER_S_MAX
    while True:
        try:
            return admin.list_topics(timeout=ASK_S)
        except KafkaException:
            admin.poll(0)
            for refusal in refusals:
                if cure := _cure(refusal):
                    text = f"Kafka at {connection.bootstrap_servers}: {refusal.str()}; {cure}"
                    raise CommandFailed(text) from None
            if time.monotonic() > until_s:
                raise


def _cure(refusal: KafkaError) -> str | None:
    """Return what to do where a broker does not let us in; None where it may be another matter."""
    if refusal.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001  # its public name
        return "check username and password in the kafka settings"
    # A broker that misses our certificate says so only after the handshake, as an ordinary error.
    if refusal.code() == KafkaError._SSL or "SSL routines" in refusal.str():  # noqa: SLF001
        return "check ca_file, cert_file and key_file in the kafka settings"
    return None


def extents(
    connection: KafkaConnection, topics: Sequence[str], counts: dict[str, int] | None = None
) -> list[Extent]:
    """Return where each partition of `topics` begins and ends.

    Raises
    ------
    CommandFailed
        When a topic is missing, or Kafka does not answer.
    """
    counts = partition_counts(connection) if counts is None else counts
    missing = [topic for topic in topics if topic not in counts]
    if missing:
        raise CommandFailed(f"no topic {', '.join(missing)}: run `leadvelocity setup` first")
    places = [
        TopicPartition(topic, partition) for topic in topics for partition in range(counts[topic])
    ]
    admin: Any = admin_client(connection)  # its types leave out half of what it takes
    specs: Any = OffsetSpec
    with kafka_errors(connection, "asking for offsets"):
        begins = admin.list_offsets(dict.fromkeys(places, specs.earliest()))
        ends = admin.list_offsets(dict.fromkeys(places, specs.latest()))
        return [
            Extent(
                topic=place.topic,
                partition=place.partition,
                begin=begins[place].result(ANSWER_S_MAX).offset,
                end=ends[place].result(ANSWER_S_MAX).offset,
            )
            for place in places
        ]


def read_to_end(
    connection: KafkaConnection, topics: Sequence[str], *, tail: int | None = None
) -> Iterator[Message]:
    """Read committed records of all partitions until each one's present end.

    Parameters
    ----------
    topics : sequence of str
    tail : int or None
        Begin so many offsets before each end; None: at the beginning.

    Yields
    ------
    Message
        In offset order within a partition.

    Raises
    ------
    CommandFailed
    """
    places = [
        TopicPartition(
            each.topic,
            each.partition,
            OFFSET_BEGINNING if tail is None else max(each.begin, each.end - tail),
        )
        for each in extents(connection, topics)
    ]
    consumer = Consumer(
        {
            **connection.librdkafka(),
            "group.id": "leadvelocity-reader",  # never joined: partitions are assigned
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )
    try:
        consumer.assign(places)
        yield from _until_end(
            connection, consumer, {(each.topic, each.partition) for each in places}
        )
    finally:
        consumer.close()


def last_offsets(connection: KafkaConnection, topic: str) -> dict[int, int]:
    """Return the offset of the last committed record of each partition that has one.

    Ends alone do not tell: markers of transactions take offsets too.
    """
    tail = TAIL_RECORDS
    while True:
        found = {
            each.partition() or 0: each.offset() or 0
            for each in read_to_end(connection, [topic], tail=tail)
        }
        unseen = [
            each
            for each in extents(connection, [topic])
            if each.partition not in found and each.end - each.begin > tail
        ]
        if not unseen:
            return found
        tail *= 16


def group_offsets(
    connection: KafkaConnection, group_id: str, topics: Sequence[str]
) -> dict[tuple[str, int], int]:
    """Return what a consumer group has committed, by topic and partition.

    Asked by a consumer that does not join: the admin client's own question crashed the process
    while a new broker had no coordinator yet (confluent-kafka 2.16).

    Raises
    ------
    CommandFailed
    """
    places = [TopicPartition(each.topic, each.partition) for each in extents(connection, topics)]
    consumer = Consumer({**connection.librdkafka(), "group.id": group_id, "log_level": 0})
    try:
        with kafka_errors(connection, f"asking for the offsets of group {group_id}"):
            return committed_offsets(consumer, places)
    finally:
        consumer.close()


def committed_offsets(
    consumer: Consumer, places: Sequence[TopicPartition]
) -> dict[tuple[str, int], int]:
    """Return what a consumer's group has committed; asks again while nobody coordinates it yet.

    Raises
    ------
    KafkaException
    """
    until_s = time.monotonic() + ANSWER_S_MAX
    while True:
        try:
            held = consumer.committed(list(places), timeout=ANSWER_S_MAX)
        except KafkaException as error:
            if error.args[0].code() not in _NO_COORDINATOR_YET or time.monotonic() > until_s:
                raise
            Event().wait(ASK_AGAIN_S)
        else:
            return {(each.topic, each.partition): each.offset for each in held if each.offset >= 0}


_NO_COORDINATOR_YET = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
"""What a broker answers for some seconds after its start."""


def is_group_stable(connection: KafkaConnection, group_id: str) -> bool:
    """Return whether a consumer group has members and each knows its partitions.

    A broker that has just begun has no coordinator to ask: then it is not.
    """
    admin = admin_client(connection)
    try:
        described = admin.describe_consumer_groups([group_id])[group_id].result(ANSWER_S_MAX)
    except KafkaException:
        return False
    return bool(described.state == ConsumerGroupState.STABLE)


def _until_end(
    connection: KafkaConnection, consumer: Consumer, open_places: set[tuple[str, int]]
) -> Iterator[Message]:
    """Read on until each place has said that it is at its end; some say so more than once."""
    answered_s = time.monotonic()
    while open_places:
        with kafka_errors(connection, "reading"):
            messages = consumer.consume(CONSUMED_MAX, timeout=CONSUME_S)
        if messages:
            answered_s = time.monotonic()
        elif time.monotonic() > answered_s + ANSWER_S_MAX:
            raise CommandFailed(
                f"Kafka at {connection.bootstrap_servers} sent nothing for {ANSWER_S_MAX:.0f} s; "
                "check that it runs (`leadvelocity stack status`)"
            )
        for message in messages:
            place = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                if place in open_places:
                    yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
                open_places.discard(place)
            elif not error.retriable():
                raise CommandFailed(_text(connection, "reading", KafkaException(error)))
