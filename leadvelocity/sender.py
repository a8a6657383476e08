"""Sends events into the input topics, each to the partition that owns its lead."""

from functools import lru_cache
from typing import Any

from confluent_kafka import Producer

from agents.rerouting import owner_of
from leadvelocity.errors import CommandFailed
from leadvelocity.kafka import partition_counts
from leadvelocity.roles import registry_of
from leadvelocity.settings import Settings
from schemas.contracts import contract
from schemas.encoding import Encoder
from schemas.events import event_record
from schemas.topics import INPUT_TOPICS
from scoring.event import Event

DELIVERY_S_MAX = 30.0
LINGER_MS = 5
QUEUE_RECORDS_MAX = 100_000
OWNERS_MAX = 100_000
"""Leads whose partition is remembered."""


class EventSender:
    """A producer of events: idempotent, and sure of each delivery when `finish` returns.

    Parameters
    ----------
    settings : Settings
        Of a pipeline that was set up.
    partitions : int
        Partition count of the input topics.

    Attributes
    ----------
    delivered : int
        Records that Kafka holds.
    partitions : int
    """

    def __init__(self, settings: Settings, *, partitions: int) -> None:
        registry = registry_of(settings)
        self._encoders = {
            topic: Encoder(contract(topic), registry.id_of(contract(topic)))
            for topic in INPUT_TOPICS
        }
        self._servers = settings.kafka.bootstrap_servers
        self._producer = Producer(
            {
                **settings.kafka.connection().librdkafka(),
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": LINGER_MS,
                "delivery.timeout.ms": round(DELIVERY_S_MAX * 1_000),
                "queue.buffering.max.messages": QUEUE_RECORDS_MAX,
                "log_level": 0,
            }
        )
        self.partitions = partitions
        self._owner = lru_cache(OWNERS_MAX)(lambda lead_id: owner_of(lead_id, partitions))
        self.delivered = 0
        self._failure: str | None = None

    def send(self, event: Event, *, partition: int | None = None) -> None:
        """Send an event to its lead's partition, or to another.

        Raises
        ------
        CommandFailed
            When an earlier record was not delivered within `DELIVERY_S_MAX`.
        """
        topic, record = event_record(event)
        self.send_raw(
            topic,
            self._owner(event.lead_id) if partition is None else partition,
            key=event.lead_id.encode(),
            value=self._encoders[topic].encode(record),
        )

    def send_raw(self, topic: str, partition: int, *, key: bytes | None, value: bytes) -> None:
        """Send bytes as they are.

        Raises
        ------
        CommandFailed
        """
        while True:
            self._check()
            try:
                self._producer.produce(
                    topic, value=value, key=key, partition=partition, on_delivery=self._delivered
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def finish(self) -> None:
        """Wait until Kafka holds all that was sent.

        Raises
        ------
        CommandFailed
            When that takes longer than `DELIVERY_S_MAX`.
        """
        left = self._producer.flush(DELIVERY_S_MAX + 1)
        self._check()
        if left:
            raise CommandFailed(self._undelivered(f"{left} records"))

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is None:
            self.delivered += 1
        else:
            self._failure = str(error.str())

    def _check(self) -> None:
        if self._failure is not None:
            raise CommandFailed(self._undelivered(self._failure))

    def _undelivered(self, what: str) -> str:
        return (
            f"Kafka at {self._servers} did not take all events within {DELIVERY_S_MAX:.0f} s "
            f"({what}; {self.delivered} are there): see that it runs and send the file again, "
            "what is there already counts as doubled"
        )


def open_sender(settings: Settings) -> EventSender:
    """Return a sender to a pipeline that was set up.

    Raises
    ------
    CommandFailed
        When Kafka does not answer or there are no topics.
    RegistryUnavailable, UnknownSchema
    """
    counts = partition_counts(settings.kafka.connection())
    for topic in INPUT_TOPICS:
        if topic not in counts:
            raise CommandFailed(f"no topic {topic}: run `leadvelocity setup` first")
    return EventSender(settings, partitions=counts[INPUT_TOPICS[0]])
