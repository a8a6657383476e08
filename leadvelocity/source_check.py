"""Whether the rows in ClickHouse come from the topics that a sink is about to read."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from leadvelocity.errors import CommandFailed
from leadvelocity.kafka import extents, topic_ids
from leadvelocity.roles import clickhouse_of
from leadvelocity.settings import Settings
from schemas.topics import OUTPUT_TOPICS
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse
from sinks.port import SinkMisconfigured, SinkUnavailable
from sinks.rows import table_of
from sinks.source_topics import note_topics, noted_topics

logger = logging.getLogger(__name__)

RETRY_S = 5.0

NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""What brokers that know no topic ids (before Kafka 2.8) give as one: all zeros."""

R = TypeVar("R")


class WrongSource(CommandFailed):
    """The rows in ClickHouse come from other topics than those that are there now."""


def require_same_topics(settings: Settings) -> None:
    """Refuse to go on where offsets no longer name the records that the rows were made of.

    The first sink notes the topics' ids in ClickHouse. Waits while ClickHouse is away.

    Raises
    ------
    WrongSource
        A topic was deleted and made anew, or lost its end.
    SinkMisconfigured
        ClickHouse refuses; says what to do.
    CommandFailed
        Kafka does not answer.
    """
    clickhouse = clickhouse_of(settings)
    connection = settings.kafka.connection()
    ids = {
        topic: topic_id
        for topic, topic_id in topic_ids(connection, OUTPUT_TOPICS).items()
        if topic_id != NO_ID
    }
    _patiently(lambda: _check_ids(clickhouse, ids))
    held = _patiently(lambda: _positions(clickhouse))
    for each in extents(connection, OUTPUT_TOPICS):
        position = held.get((each.topic, each.partition), 0)
        if position > each.end:
            raise WrongSource(
                f"ClickHouse holds rows of {each.topic}-{each.partition} up to offset "
                f"{position - 1}, but the topic ends at {each.end}: {_cure(each.topic)}"
            )


def _check_ids(clickhouse: ClickHouse, ids: Mapping[str, str]) -> None:
    noted = noted_topics(clickhouse)
    _compare(noted, ids)
    note_topics(clickhouse, {topic: ids[topic] for topic in ids.keys() - noted.keys()})
    _compare(noted_topics(clickhouse), ids)  # another sink may have noted another one meanwhile


def _compare(noted: Mapping[str, frozenset[str]], ids: Mapping[str, str]) -> None:
    for topic, topic_id in ids.items():
        others = noted.get(topic, frozenset()) - {topic_id}
        if others:
            raise WrongSource(
                f"topic {topic} is not the one that the rows in ClickHouse come from (its id is "
                f"{topic_id}, theirs is {', '.join(sorted(others))}): {_cure(topic)}"
            )


def _cure(topic: str) -> str:
    statements = (
        f"TRUNCATE TABLE {table_of(topic)}",
        *(
            f"DELETE FROM {table} WHERE source_topic = '{topic}'"  # noqa: S608  # for people
            for table in ("source_positions", "source_topics")
        ),
    )
    return (
        "it was deleted and made anew, or Kafka lost its data, so offsets name other records now. "
        "To keep the rows, set another LEADVELOCITY_CLICKHOUSE__DATABASE and run `leadvelocity "
        f"setup`; to give them up, run in ClickHouse: {'; '.join(statements)}; then start the sink "
        "again"
    )


def _positions(clickhouse: ClickHouse) -> dict[tuple[str, int], int]:
    sink = ClickHouseSink(clickhouse)
    try:
        return {
            (topic, partition): position
            for topic in OUTPUT_TOPICS
            for partition, position in sink.positions(topic).items()
        }
    finally:
        sink.close()


def _patiently(call: Callable[[], R]) -> R:
    while True:
        try:
            return call()
        except SinkMisconfigured:
            raise
        except SinkUnavailable as error:
            logger.warning("ClickHouse is away, trying again in %.1f s: %s", RETRY_S, error)
        threading.Event().wait(RETRY_S)
