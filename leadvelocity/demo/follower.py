"""Follows `tier-changes` as a subscriber does, and notes when each change became visible."""

import time
from collections import Counter, deque
from threading import Event, Lock, Thread
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from leadvelocity.errors import CommandFailed
from leadvelocity.kafka import extents
from leadvelocity.records import TopicReader
from leadvelocity.roles import registry_of
from leadvelocity.settings import Settings
from schemas.topics import TIER_CHANGES

RECENT_MAX = 50
POLL_S = 0.2

Record = dict[str, Any]


class Follower:
    """Reads committed tier changes from now on, in a thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = Event()
        self._lock = Lock()
        self._latest: dict[str, Record] = {}
        self._recent: deque[Record] = deque(maxlen=RECENT_MAX)
        self._moves: Counter[str] = Counter()
        self._visible: list[tuple[int, int]] = []
        self._ready = Event()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin at the present end of the topic."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Stop and wait for it."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def hottest(self, count: int) -> list[Record]:
        """Return the latest changes of the leads with the highest scores."""
        with self._lock:
            leads = list(self._latest.values())
        return sorted(leads, key=lambda each: (-each["score"], each["lead_id"]))[:count]

    def recent(self, count: int) -> list[Record]:
        """Return the last changes, newest first."""
        with self._lock:
            return list(self._recent)[-count:][::-1]

    def moves(self) -> dict[str, int]:
        """Return how many changes there were, by from→to."""
        with self._lock:
            return dict(sorted(self._moves.items()))

    def latencies_ms(self, *, since_ms: int) -> list[int]:
        """Return the times from append to visible here, of changes that an event caused.

        Parameters
        ----------
        since_ms : int
            Leave out events that were appended before, UTC epoch milliseconds.
        """
        with self._lock:
            return [seen - received for received, seen in self._visible if received >= since_ms]

    def check(self) -> None:
        """Say so when it cannot follow any more.

        Raises
        ------
        CommandFailed
        """
        if self._failure is not None:
            raise CommandFailed(f"reading {TIER_CHANGES}: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001  # told by `check`, in the thread that asks
            self._failure = error
        finally:
            self._ready.set()

    def _follow(self) -> None:
        connection = self._settings.kafka.connection()
        reader = TopicReader(registry_of(self._settings), TIER_CHANGES)
        consumer = Consumer(
            {
                **connection.librdkafka(),
                "group.id": "leadvelocity-demo",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )
        consumer.assign(
            [
                TopicPartition(each.topic, each.partition, each.end)
                for each in extents(connection, [TIER_CHANGES])
            ]
        )
        self._ready.set()
        try:
            while not self._stop.is_set():
                message = consumer.poll(POLL_S)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    self._take(reader.decode(message.value()))
                elif not error.retriable():
                    raise CommandFailed(error.str())
        finally:
            consumer.close()

    def _take(self, record: Record) -> None:
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            if record["received_at"] is not None:
                self._visible.append((record["received_at"], now_ms))
            self._latest[record["lead_id"]] = record
            self._recent.append(record)
            self._moves[f"{record['from_tier']}→{record['to_tier']}"] += 1
