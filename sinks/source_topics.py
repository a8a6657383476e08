"""What sinks know of the topics that rows come from, kept beside the rows."""

from collections.abc import Mapping
from typing import Any

from sinks.client import TRANSPORT_FAULTS, ClickHouse
from sinks.failures import unavailable


def noted_topics(clickhouse: ClickHouse) -> dict[str, frozenset[str]]:
    """Return the ids that rows came from, by topic; more than one only if sinks raced.

    Raises
    ------
    SinkUnavailable
    """
    sql = "SELECT source_topic, groupUniqArray(topic_id) FROM source_topics GROUP BY source_topic"
    return {topic: frozenset(ids) for topic, ids in _ask(clickhouse, sql, {})}


def note_topics(clickhouse: ClickHouse, ids: Mapping[str, str]) -> None:
    """Note from which topics rows come; again is the same as once.

    Parameters
    ----------
    clickhouse : ClickHouse
    ids : mapping of str to str
        Kafka's id, by topic.

    Raises
    ------
    SinkUnavailable
    """
    for topic, topic_id in ids.items():
        _ask(
            clickhouse,
            "INSERT INTO source_topics (source_topic, topic_id)"
            " SELECT %(topic)s, %(topic_id)s SETTINGS async_insert = 0",
            {"topic": topic, "topic_id": topic_id},
        )


def _ask(clickhouse: ClickHouse, sql: str, parameters: Mapping[str, object]) -> Any:
    client = clickhouse.client()
    try:
        return client.execute(sql, parameters)
    except TRANSPORT_FAULTS as error:
        raise unavailable(error, doing="comparing topics and rows") from error
    finally:
        client.disconnect()
