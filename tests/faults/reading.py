"""What the topics hold, read by a client of its own as a subscriber would."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from agents.lead_scoring import OWED_KEY
from leadvelocity.kafka import committed_offsets
from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.registry import Registry
from schemas.topics import (
    DEAD_LETTERS,
    INPUT_TOPICS,
    LEAD_SCORES,
    OUTPUT_TOPICS,
    SCORED_EVENTS,
    TIER_CHANGES,
)
from streams.kafka_ledger import changelog_topic

ANSWER_S_MAX = 30.0
FETCHED_MAX = 5_000
VALUE_BYTES_MAX = 8 << 20
FETCH_S = 0.05
"""The client waits so long for `FETCHED_MAX` records before it hands over fewer."""

Place = tuple[str, int, int]
"""Topic, partition and offset of an input record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A decoded record of an output topic."""

    partition: int
    offset: int
    record: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Snapshot:
    """All that must agree.

    Parameters
    ----------
    inputs : dict of Place to bytes or None
        Values of the input topics.
    scored, changes, letters, scores, velocity : list of Kept
        The output topics in offset order within a partition.
    states : dict of bytes to bytes
        The changelog's last value of each lead.
    committed : dict
        Offsets of the group by topic and partition, taken before the outputs were read.
    """

    inputs: dict[Place, bytes | None] = field(default_factory=dict)
    scored: list[Kept] = field(default_factory=list)
    changes: list[Kept] = field(default_factory=list)
    letters: list[Kept] = field(default_factory=list)
    scores: list[Kept] = field(default_factory=list)
    velocity: list[Kept] = field(default_factory=list)
    states: dict[bytes, bytes] = field(default_factory=dict)
    committed: dict[tuple[str, int], int] = field(default_factory=dict)

    def of(self, topic: str) -> list[Kept]:
        """Return the records of an output topic."""
        held = {
            SCORED_EVENTS: self.scored,
            TIER_CHANGES: self.changes,
            DEAD_LETTERS: self.letters,
            LEAD_SCORES: self.scores,
        }
        return held.get(topic, self.velocity)


class Reader:
    """Reads a stack's topics; never joins a group.

    Parameters
    ----------
    endpoints : dict
        As `stack up` prints them.
    app_id : str
    """

    def __init__(self, endpoints: dict[str, Any], *, app_id: str) -> None:
        self._servers = endpoints["kafka"]
        self._app_id = app_id
        self._registry = Registry(endpoints["registry"])

    def snapshot(self) -> Snapshot:
        """Read everything: positions first, so that none may run ahead of its effects."""
        snapshot = Snapshot(committed=self.committed())
        for message in self.read(INPUT_TOPICS):
            snapshot.inputs[_place(message)] = message.value()
        for topic in OUTPUT_TOPICS:
            snapshot.of(topic).extend(self._decoded(topic))
        snapshot.states = self.changelog()
        return snapshot

    def _decoded(self, topic: str) -> Iterator[Kept]:
        writers = WriterSchemas()
        decoder = Decoder(contract(topic), writers, value_bytes_max=VALUE_BYTES_MAX)
        for message in self.read([topic]):
            value = message.value()
            for schema_id in writers.unknown_ids([value]):
                writers.learn(schema_id, self._registry.schema(schema_id))
            yield Kept(
                partition=message.partition() or 0,
                offset=message.offset() or 0,
                record=decoder.decode(value),
            )

    def changelog(self) -> dict[bytes, bytes]:
        """Return the last state of each lead; keys of the engine itself begin with a zero."""
        states: dict[bytes, bytes] = {}
        for message in self.read([changelog_topic(self._app_id, "scoring")]):
            key, value = message.key(), message.value()
            if isinstance(key, bytes) and not key.startswith(b"\x00"):
                states.pop(key, None)
                if isinstance(value, bytes):
                    states[key] = value
        return states

    def owes_scores(self) -> bool:
        """Whether a lead's score waits to be told, as a task has noted in its changelog."""
        notes = {
            message.partition(): message.value()
            for message in self.read([changelog_topic(self._app_id, "scoring")])
            if message.key() == OWED_KEY
        }
        return any(notes.values())

    def read(self, topics: Iterable[str], *, isolation: str = "read_committed") -> list[Message]:
        """Return all records of `topics`, in offset order within a partition."""
        consumer = Consumer(self._settings(isolation))
        try:
            places = [
                TopicPartition(topic, partition, 0)
                for topic in topics
                for partition in range(self._partitions(consumer, topic))
            ]
            consumer.assign(places)
            return _until_end(consumer, {(each.topic, each.partition) for each in places})
        finally:
            consumer.close()

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Return the next offset of each partition."""
        consumer = Consumer(self._settings("read_uncommitted"))
        try:
            return {
                (topic, partition): consumer.get_watermark_offsets(
                    TopicPartition(topic, partition), timeout=ANSWER_S_MAX
                )[1]
                for topic in topics
                for partition in range(self._partitions(consumer, topic))
            }
        finally:
            consumer.close()

    def committed(self) -> dict[tuple[str, int], int]:
        """Return the group's offsets of the input topics."""
        consumer = Consumer(self._settings("read_committed") | {"group.id": self._app_id})
        try:
            places = [
                TopicPartition(topic, partition)
                for topic in INPUT_TOPICS
                for partition in range(self._partitions(consumer, topic))
            ]
            return committed_offsets(consumer, places)
        finally:
            consumer.close()

    def _partitions(self, consumer: Consumer, topic: str) -> int:
        listed = consumer.list_topics(topic, timeout=ANSWER_S_MAX)
        return len(listed.topics[topic].partitions)

    def _settings(self, isolation: str) -> dict[str, Any]:
        return {
            "bootstrap.servers": self._servers,
            "group.id": "faults-reader",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }


def rows_of(sql: Any, topic: str) -> list[dict[str, Any]]:
    """Ask ClickHouse where the rows of a topic came from, each as often as `FINAL` shows it."""
    table = topic.replace("-", "_")
    found: list[dict[str, Any]] = sql(
        "SELECT source_partition AS p, groupArray(source_offset) AS offsets"
        f" FROM {table} FINAL GROUP BY p ORDER BY p"
    )
    return found


def as_text(value: Any) -> str:
    """Return a record for a message, shortened."""
    return json.dumps(value, default=str)[:300]


def by_partition(records: Iterable[Kept]) -> dict[int, list[Kept]]:
    """Return records by partition, in offset order."""
    found: defaultdict[int, list[Kept]] = defaultdict(list)
    for each in records:
        found[each.partition].append(each)
    return found


def _place(message: Message) -> Place:
    return (message.topic() or "", message.partition() or 0, message.offset() or 0)


def _until_end(consumer: Consumer, open_places: set[tuple[str, int]]) -> list[Message]:
    """Read on until each place has said that it is at its end; some say so more than once."""
    found: list[Message] = []
    answered_s = time.monotonic()
    while open_places:
        fetched = consumer.consume(FETCHED_MAX, timeout=FETCH_S)
        if fetched:
            answered_s = time.monotonic()
        assert time.monotonic() < answered_s + ANSWER_S_MAX, f"no end of {open_places}"
        for message in fetched:
            place = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                found += [message] if place in open_places else []
            elif error.code() == KafkaError._PARTITION_EOF:
                open_places.discard(place)
            else:
                assert error.retriable(), error
    return found
