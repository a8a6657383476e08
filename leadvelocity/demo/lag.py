"""How far workers and sinks are behind."""

from leadvelocity.kafka import extents, group_offsets, last_offsets
from leadvelocity.roles import clickhouse_of
from leadvelocity.settings import Settings
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS, REROUTED_EVENTS
from sinks.clickhouse import ClickHouseSink


def input_lag(settings: Settings) -> int:
    """Return how many records of the input topics are not folded and committed yet.

    Raises
    ------
    CommandFailed
    """
    connection = settings.kafka.connection()
    folded = group_offsets(connection, settings.engine.app_id)
    return sum(
        each.end - max(each.begin, folded.get((each.topic, each.partition), 0))
        for each in extents(connection, INPUT_TOPICS)
    )


def is_folded(settings: Settings) -> bool:
    """Return whether all that was sent, and all that was rerouted, is folded and committed.

    Raises
    ------
    CommandFailed
    """
    if input_lag(settings):
        return False
    connection = settings.kafka.connection()
    folded = group_offsets(connection, settings.engine.app_id)
    rerouted = last_offsets(connection, REROUTED_EVENTS)
    return all(
        folded.get((REROUTED_EVENTS, partition), 0) > offset
        for partition, offset in rerouted.items()
    )


def is_stored(settings: Settings) -> bool:
    """Return whether ClickHouse holds every record of the output topics.

    Raises
    ------
    CommandFailed, SinkUnavailable
    """
    sink = ClickHouseSink(clickhouse_of(settings))
    try:
        for topic in OUTPUT_TOPICS:
            held = sink.positions(topic)
            last = last_offsets(settings.kafka.connection(), topic)
            if any(held.get(partition, 0) <= offset for partition, offset in last.items()):
                return False
    finally:
        sink.close()
    return True
