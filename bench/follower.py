"""A subscriber: notes when each tier change becomes visible to it."""

import time
from threading import Event, Thread
from typing import Self

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from streams.settings import KafkaConnection

POLLED_S_MAX = 0.1
SUBSCRIBING = {
    "group.id": "bench-subscriber",  # never joined: partitions are assigned
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "fetch.wait.max.ms": 20,
    "log_level": 0,
}


class Follower:
    """Reads a topic from its end on, in a thread of its own; use it as a context.

    Attributes
    ----------
    seen_ms : dict of bytes to float
        When the first record of each key came, UTC epoch milliseconds.
    """

    def __init__(self, connection: KafkaConnection, topic: str, *, partitions: int) -> None:
        self.seen_ms: dict[bytes, float] = {}
        self._consumer = Consumer({**connection.librdkafka(), **SUBSCRIBING})
        self._consumer.assign(
            [TopicPartition(topic, each, OFFSET_END) for each in range(partitions)]
        )
        self._stop = Event()
        self._thread = Thread(target=self._run, name="follower", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(POLLED_S_MAX)
            if message is not None and message.error() is None:
                now_ms = time.time_ns() / 1_000_000
                self.seen_ms.setdefault(message.key() or b"", now_ms)
