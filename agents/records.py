"""What goes into an agent and what comes out: records of Kafka, without a client's types."""

from typing import NamedTuple

Headers = tuple[tuple[str, bytes], ...]


class Record(NamedTuple):
    """A record as it was read.

    Parameters
    ----------
    timestamp_ms : int
        The broker's timestamp; on input topics, when the record was appended.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Output(NamedTuple):
    """A record to be written to the task's own partition of `topic`, or to `partition`."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None
