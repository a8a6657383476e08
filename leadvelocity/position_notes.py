"""Notes how far sinks are where offsets hold no records: marks of transactions make no rows.

Without it a partition that is idle for longer than its retention looks as if records were lost:
the last row stays where it is, while the topic's begin goes on to its end.
"""

import logging
from threading import Event, Thread
from typing import Any

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from leadvelocity.errors import CommandError
from leadvelocity.kafka import ANSWER_S_MAX, admin_client, extents, kafka_errors, last_offsets
from leadvelocity.roles import clickhouse_of
from leadvelocity.settings import Settings
from schemas.topics import OUTPUT_TOPICS
from sinks.clickhouse import ClickHouseSink
from sinks.port import SinkError
from sinks.source_topics import note_position

logger = logging.getLogger(__name__)

NOTE_EVERY_S = 3_600.0


class PositionNotes:
    """Notes positions now and then, in a thread of its own.

    Parameters
    ----------
    every_s : float
    """

    def __init__(self, settings: Settings, *, every_s: float = NOTE_EVERY_S) -> None:
        self._settings = settings
        self._every_s = every_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name="position-notes", daemon=True)

    def start(self) -> None:
        """Begin; the first notes come after `every_s`."""
        self._thread.start()

    def stop(self) -> None:
        """End; does not wait for notes under way, which harm nobody."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                note_positions(self._settings)
            except (CommandError, SinkError) as error:
                logger.info("positions are not noted now: %s", error)


def note_positions(settings: Settings) -> int:
    """Note the end of each partition of which every committed record is held.

    Returns
    -------
    int
        How many were noted.

    Raises
    ------
    CommandFailed
        Kafka does not answer.
    SinkError
        ClickHouse does not.
    """
    clickhouse = clickhouse_of(settings)
    sink = ClickHouseSink(clickhouse)
    noted = 0
    try:
        for topic in OUTPUT_TOPICS:
            for partition, end in _held_ends(settings, sink, topic).items():
                note_position(clickhouse, topic, partition, end)
                noted += 1
    finally:
        sink.close()
    return noted


def _held_ends(settings: Settings, sink: ClickHouseSink, topic: str) -> dict[int, int]:
    """Return the ends that are further than the rows say, though nothing is missing before them."""
    connection = settings.kafka.connection()
    begins = {each.partition: each.begin for each in extents(connection, [topic])}
    ends = _stable_ends(settings, topic, list(begins))  # before the last records are looked for
    last = last_offsets(connection, topic)
    held = sink.positions(topic)
    return {
        partition: ends[partition]
        for partition, position in held.items()
        if partition in ends
        and begins[partition] <= position < ends[partition]
        and last.get(partition, -1) < position
    }


def _stable_ends(settings: Settings, topic: str, partitions: list[int]) -> dict[int, int]:
    """Return up to where each transaction has ended: nothing before it is still to be committed."""
    connection = settings.kafka.connection()
    admin: Any = admin_client(connection)  # its types leave out half of what it takes
    specs: Any = OffsetSpec
    places = [TopicPartition(topic, partition) for partition in partitions]
    with kafka_errors(connection, "asking for offsets"):
        asked = admin.list_offsets(
            dict.fromkeys(places, specs.latest()), isolation_level=IsolationLevel.READ_COMMITTED
        )
        return {place.partition: asked[place].result(ANSWER_S_MAX).offset for place in places}
