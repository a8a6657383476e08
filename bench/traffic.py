"""Events at a steady rate, encoded beforehand; some of them are sure to change a tier."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from threading import Event
from typing import Any, NamedTuple

from confluent_kafka import Message, Producer

from agents.rerouting import owner_of
from bench.workload import OWN_FIELDS, Workload, new_event_id
from leadvelocity.roles import registry_of
from leadvelocity.settings import Settings
from schemas.contracts import contract
from schemas.encoding import Encoder
from schemas.topics import FORM_FILLS, INPUT_TOPICS

PROBE_SHARE, PROBES_PER_S = 0.1, 200.0
"""Of the events, and at most: a form that a new lead fills in, which lifts it to warm at once."""

PROBE_FORM = "demo"
"""Also under the model that ships it is worth enough."""

TICK_S = 0.001
SENDING = {
    "linger.ms": 5,
    "acks": 1,
    "queue.buffering.max.messages": 500_000,
    "log_level": 0,
}
FLUSH_S_MAX = 30.0


class Ready(NamedTuple):
    """A record to be sent; of a probe, `key` is known to no other record."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    is_probe: bool


class Encoding:
    """Makes records ready to be sent.

    Parameters
    ----------
    leads : int
        Among whom events that are no probes are shared out.
    """

    def __init__(self, settings: Settings, *, leads: int) -> None:
        registry = registry_of(settings)
        self._encoders = {
            topic: Encoder(contract(topic), registry.id_of(contract(topic)))
            for topic in INPUT_TOPICS
        }
        self._partitions = settings.topics.partitions
        self._leads = leads
        self._rng = Random(leads)  # noqa: S311  # the same events every time
        self._numbers = count()

    def records(self, events: int, *, rate: float) -> list[Ready]:
        """Return so many records, whose times are those at which they are due from now on."""
        now_ms = time.time_ns() // 1_000_000
        workload = Workload(
            events=events,
            leads=self._leads,
            begins_at_ms=now_ms,
            span_ms=round(events / rate * 1_000),
            seed=self._rng.getrandbits(32),
        )
        return [
            self._probe(sent.occurred_at_ms)
            if self._rng.random() < min(PROBE_SHARE, PROBES_PER_S / rate)
            else self._ready(sent.topic, sent.lead_id, sent.record)
            for sent in workload.sent()
        ]

    def probes(self, events: int) -> list[Ready]:
        """Return so many probes of now."""
        return [self._probe(time.time_ns() // 1_000_000) for _ in range(events)]

    def _probe(self, at_ms: int) -> Ready:
        lead_id = f"probe-{next(self._numbers):08d}"
        event_id = new_event_id(self._rng)
        record = {"event_id": event_id, "lead_id": lead_id, "occurred_at": at_ms}
        record |= OWN_FIELDS[FORM_FILLS](self._rng) | {"form_id": PROBE_FORM}
        return self._ready(FORM_FILLS, lead_id, record, is_probe=True)

    def _ready(
        self, topic: str, lead_id: str, record: dict[str, Any], *, is_probe: bool = False
    ) -> Ready:
        return Ready(
            topic=topic,
            partition=owner_of(lead_id, self._partitions),
            key=lead_id.encode(),
            value=self._encoders[topic].encode(record),
            is_probe=is_probe,
        )


@dataclass(slots=True, kw_only=True)
class Sending:
    """Sends records at the moments at which they are due, however far the engine is behind.

    Attributes
    ----------
    appended_ms : dict of bytes to int
        When the broker appended each probe, by its key; UTC epoch milliseconds.
    """

    settings: Settings
    appended_ms: dict[bytes, int] = field(default_factory=dict)
    _producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        connection = self.settings.kafka.connection()
        self._producer = Producer({**connection.librdkafka(), **SENDING})

    def send(self, records: Sequence[Ready], *, rate: float) -> float:
        """Send records, `rate` a second; return the rate that was reached."""
        began_s = time.monotonic()
        for due in _ticks(len(records), rate):
            for record in records[due]:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    on_delivery=self._appended if record.is_probe else None,
                )
            self._producer.poll(0)
        took_s = time.monotonic() - began_s
        self._producer.flush(FLUSH_S_MAX)
        return len(records) / took_s

    def _appended(self, error: Any, message: Message) -> None:
        if error is None:
            self.appended_ms[message.key() or b""] = message.timestamp()[1]


def _ticks(records: int, rate: float) -> Iterator[slice]:
    """Yield which records are due, each time that some are."""
    pause = Event()
    began_s = time.monotonic()
    done = 0
    while done < records:
        due = min(records, int((time.monotonic() - began_s) * rate) + 1)
        if due > done:
            yield slice(done, due)
            done = due
        else:
            pause.wait(TICK_S)
