"""Rerouting: an event on a partition that is not its lead's goes to the owner, once."""

from typing import Final, final

from mypy_extensions import mypyc_attr

from agents.murmur2 import murmur2
from agents.records import Output, Record
from schemas.topics import REROUTED_EVENTS
from scoring.value import Value

_TOPIC, _PARTITION, _OFFSET, _TIMESTAMP = (
    "origin_topic",
    "origin_partition",
    "origin_offset",
    "origin_timestamp_ms",
)


@mypyc_attr(acyclic=True)
@final
class Origin(Value):
    """Where a rerouted record was appended first.

    Parameters
    ----------
    timestamp_ms : int
        When it was appended there.
    """

    __slots__ = ("topic", "partition", "offset", "timestamp_ms")

    def __init__(self, topic: str, partition: int, offset: int, timestamp_ms: int) -> None:
        self.topic: Final = topic
        self.partition: Final = partition
        self.offset: Final = offset
        self.timestamp_ms: Final = timestamp_ms


Origins = Record | Origin
"""A record that was not rerouted is its own origin."""


def owner_of(lead_id: str, partitions: int) -> int:
    """Return the partition of a lead: Kafka's own murmur2 over its UTF-8 id."""
    return (murmur2(lead_id.encode()) & 0x7FFFFFFF) % partitions


def origin_of(record: Record) -> Origins:
    """Return where `record` was appended first: here, or where it was rerouted from."""
    if record.topic == REROUTED_EVENTS:
        headers = {name: content for name, content in record.headers if content is not None}
        try:
            return Origin(
                topic=headers[_TOPIC].decode(),
                partition=int(headers[_PARTITION]),
                offset=int(headers[_OFFSET]),
                timestamp_ms=int(headers[_TIMESTAMP]),
            )
        except (KeyError, ValueError):
            pass  # not written by us: it is judged, and refused, as a record of this topic
    return record


def rerouted(record: Record, origin: Origins, lead_id: str, *, owner: int) -> Output:
    """Return the record for the owner's partition; it tells where it came from."""
    origin_headers = (
        (_TOPIC, origin.topic.encode()),
        (_PARTITION, b"%d" % origin.partition),
        (_OFFSET, b"%d" % origin.offset),
        (_TIMESTAMP, b"%d" % origin.timestamp_ms),
    )
    names = {name for name, _ in origin_headers}
    return Output(
        topic=REROUTED_EVENTS,
        key=lead_id.encode(),
        value=record.value,
        headers=(*(each for each in record.headers if each[0] not in names), *origin_headers),
        partition=owner,
    )
