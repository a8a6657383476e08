"""What goes into an agent and what comes out: records of Kafka, without a client's types."""

from typing import Final, final

from mypy_extensions import mypyc_attr

from scoring.value import Value

Headers = tuple[tuple[str, bytes | None], ...]
"""Names and contents; senders may write a name without one."""


@mypyc_attr(acyclic=True)
@final
class Record(Value):
    """A record as it was read.

    Parameters
    ----------
    timestamp_ms : int
        The broker's timestamp; on input topics, when the record was appended.
    """

    __slots__ = ("topic", "partition", "offset", "timestamp_ms", "key", "value", "headers")

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        timestamp_ms: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
    ) -> None:
        self.topic: Final = topic
        self.partition: Final = partition
        self.offset: Final = offset
        self.timestamp_ms: Final = timestamp_ms
        self.key: Final = key
        self.value: Final = value
        self.headers: Final = headers


@mypyc_attr(acyclic=True)
@final
class Output(Value):
    """A record to be written to the task's own partition of `topic`, or to `partition`."""

    __slots__ = ("topic", "key", "value", "headers", "partition")

    def __init__(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        self.topic: Final = topic
        self.key: Final = key
        self.value: Final = value
        self.headers: Final = headers
        self.partition: Final = partition
