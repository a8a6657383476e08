"""Records that are no events: every kind of wrong bytes, written raw."""

import random
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import fastavro
from confluent_kafka import Producer

from schemas.contracts import contract
from schemas.encoding import Encoder
from schemas.events import event_record
from schemas.registry import Registry
from schemas.topics import INPUT_TOPICS, WEBSITE_VISITS
from tests.e2e.exact_rules import as_event
from tests.faults.reading import Place
from tests.faults.traffic import MINUTE_MS, Line, now_ms

PARTITIONS = 4
DELIVERY_S_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A record as it is produced; its name says what is wrong with it."""

    name: str
    value: bytes | None
    topic: str = WEBSITE_VISITS
    key: bytes | None = b"poison"
    headers: tuple[tuple[str, bytes | None], ...] = ()


@dataclass(slots=True, kw_only=True)
class RawSender:
    """Writes bytes where it is told, and remembers where they came to stand.

    Parameters
    ----------
    compression : str
        Codec of the batches.
    """

    servers: str
    compression: str = "none"
    places: list[Place] = field(default_factory=list)

    def send(self, records: Iterable[Raw], *, partition: int | None = None) -> frozenset[Place]:
        """Send records, to one partition or spread over all; return their places."""
        producer = Producer(
            {
                "bootstrap.servers": self.servers,
                "compression.type": self.compression,
                "message.max.bytes": 100_000_000,
                "queue.buffering.max.kbytes": 1_000_000,
                "linger.ms": 5,
                "log_level": 0,
            }
        )
        self.places = []
        for number, each in enumerate(records):
            producer.produce(
                each.topic,
                value=each.value,
                key=each.key,
                headers=list(each.headers),
                partition=number % PARTITIONS if partition is None else partition,
                on_delivery=self._delivered,
            )
            producer.poll(0)
        assert not producer.flush(DELIVERY_S_MAX)
        return frozenset(self.places)

    def _delivered(self, error: Any, message: Any) -> None:
        assert error is None, error
        self.places.append((message.topic(), message.partition(), message.offset()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Poison for a pipeline that was set up, and the innocent record that it is made from."""

    registry: Registry

    def innocent(self, **changes: Any) -> bytes:
        """Return the bytes of a good visit, with some fields changed."""
        return self._encoder().encode(visit(**changes))

    def all(self) -> list[Raw]:
        """Return one record of each kind."""
        good = self.innocent()
        body, head = good[5:], good[:5]
        return [
            Raw(name="null value", value=None),
            Raw(name="empty value", value=b""),
            Raw(name="one byte", value=b"\x00"),
            Raw(name="wrong magic", value=b"\x01" + good[1:]),
            Raw(name="no framing", value=b'{"event_id": "x"}'),
            Raw(name="unknown schema id", value=b"\x00" + struct.pack(">i", 987_654) + body),
            Raw(name="negative schema id", value=b"\x00" + struct.pack(">i", -1) + body),
            Raw(name="schema of another topic", value=self._other()),
            Raw(name="trailing byte", value=good + b"\x00"),
            Raw(name="two records in one", value=good + good),
            *(
                Raw(name=f"cut at {end}", value=good[:end])
                for end in range(5, len(good), max(1, len(body) // 12))
            ),
            Raw(name="union branch out of range", value=head + b"\x02a\x02a\x02" + b"\x7e" * 8),
            Raw(name="endless length", value=head + b"\xfe" * 9 + b"\x01"),
            Raw(name="negative length", value=head + b"\x01" + body),
            Raw(name="not UTF-8", value=head + b"\x04\xff\xfe" + body),
            Raw(name="noise", value=head + random.Random(5).randbytes(200)),
            Raw(name="empty lead id", value=self.innocent(lead_id="")),
            Raw(name="lead id with a zero", value=self.innocent(lead_id="\x00positions")),
            Raw(name="lead id with a line end", value=self.innocent(lead_id="a\nb")),
            Raw(name="long lead id", value=self.innocent(lead_id="x" * 257)),
            Raw(name="empty event id", value=self.innocent(event_id="")),
            Raw(name="long url", value=self.innocent(url="https://x.example/" + "y" * 9_000)),
            Raw(name="beyond every clock", value=self.innocent(occurred_at=2**53)),
            Raw(name="a year ahead", value=self.innocent(occurred_at=now_ms() + 365 * 86_400_000)),
            Raw(name="before time", value=self.innocent(occurred_at=-(2**60))),
            Raw(name="microseconds", value=self.innocent(occurred_at=now_ms() * 1_000)),
            Raw(name="not a number", value=self.innocent(duration_s=float("nan"))),
            Raw(name="infinite", value=self.innocent(duration_s=float("inf"))),
            *(Raw(name=f"empty in {topic}", value=b"", topic=topic) for topic in INPUT_TOPICS),
            Raw(name="null key", value=b"\x07", key=None),
            Raw(name="empty key", value=b"\x07", key=b""),
            Raw(name="huge key", value=b"\x07", key=b"k" * 100_000),
            Raw(name="key not UTF-8", value=b"\x07", key=b"\xff\xfe"),
            Raw(name="key of the engine", value=b"\x07", key=b"\x00positions"),
            Raw(
                name="odd headers",
                value=b"\x07",
                headers=(("", None), ("traceparent", b"\xff"), ("origin_offset", b"x"), ("a", b"")),
            ),
        ]

    def _encoder(self) -> Encoder:
        return Encoder(contract(WEBSITE_VISITS), self.registry.id_of(contract(WEBSITE_VISITS)))

    def _other(self) -> bytes:
        other = contract("dead-letters")
        return b"\x00" + struct.pack(">i", self.registry.id_of(other)) + b"\x02a\x00\x00\x00"


def encoded(
    registry_url: str, lines: Iterable[Line], *, key: Callable[[Line], bytes | None]
) -> Iterator[Raw]:
    """Encode events as a sender of other make would write them."""
    registry = Registry(registry_url)
    encoders: dict[str, Encoder] = {}
    for line in lines:
        topic, record = event_record(as_event(line))
        encoder = encoders.get(topic)
        if encoder is None:
            encoder = encoders[topic] = Encoder(contract(topic), registry.id_of(contract(topic)))
        yield Raw(name="event", topic=topic, value=encoder.encode(record), key=key(line))


def visit(**changes: Any) -> dict[str, Any]:
    """Return the record of a visit a minute ago."""
    fields = dict.fromkeys(contract(WEBSITE_VISITS).field_names)
    return fields | {
        "event_id": "e-1",
        "lead_id": "poison",
        "occurred_at": now_ms() - MINUTE_MS,
        "url": "https://x.example/docs",
        **changes,
    }


def written_with(schema: Mapping[str, Any], schema_id: int, record: Any) -> bytes:
    """Return a framed value that a writer with a schema of its own would send."""
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(dict(schema)), record)
    return b"\x00" + struct.pack(">i", schema_id) + buffer.getvalue()
