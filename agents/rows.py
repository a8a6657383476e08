"""The sink agent: collects the records of one partition of an output topic into rows."""

import logging
from collections.abc import Mapping, Sequence

from agents.records import Record
from agents.reducer import Arrival
from agents.state import State
from schemas.dead_letter_reason import Undecodable
from schemas.decoding import Decoder
from sinks.port import Block
from sinks.rows import block_of

logger = logging.getLogger(__name__)

Decoded = Mapping[str, object]


class RowCollector:
    """Rows since the last block; its only state is in the store.

    Parameters
    ----------
    topic : str
    partition : int
    decoder : Decoder
    """

    def __init__(self, topic: str, partition: int, decoder: Decoder) -> None:
        self._topic = topic
        self._partition = partition
        self._decoder = decoder
        self._offsets: list[int] = []
        self._records: list[Decoded] = []

    async def prepare(self, records: Sequence[Record]) -> None:
        """Nothing to look up: the records are ours, with the contract of the day."""

    def read(self, record: Record) -> Arrival[Decoded | None]:
        """Decode one record; what somebody else wrote to our topic is told and left out."""
        content: Decoded | None = None
        try:
            content = self._decoder.decode(record.value)
        except Undecodable as error:
            logger.error(  # noqa: TRY400  # the place and the reason say it all
                "%s-%d offset %d is not ours and is left out: %s",
                record.topic,
                record.partition,
                record.offset,
                error,
            )
        return Arrival(record=record, content=content, time_ms=record.timestamp_ms)

    def condemned(self, record: Record, text: str) -> Arrival[Decoded | None]:
        """Leave a record out that must not be read."""
        logger.error("%s-%d offset %d: %s", record.topic, record.partition, record.offset, text)
        return Arrival(record=record, content=None, time_ms=record.timestamp_ms)

    def restore(self, state: State) -> None:
        """Take nothing: the store holds the rows."""

    def fold(self, arrivals: Sequence[Arrival[Decoded | None]], *, now_ms: int) -> None:  # noqa: ARG002
        """Add the rows of a batch."""
        for arrival in arrivals:
            if arrival.content is not None:
                self._offsets.append(arrival.record.offset)
                self._records.append(arrival.content)

    def next_timer_ms(self) -> int | None:
        """Return None: there are no timers."""

    def fire(self, *, until_ms: int, now_ms: int) -> int:  # noqa: ARG002
        """Return 0: there are no timers."""
        return 0

    def take(self) -> Block | None:
        """Hand over the rows since the last block; None without any."""
        offsets, records = self._offsets, self._records
        self._offsets, self._records = [], []
        return block_of(self._topic, self._partition, offsets, records) if offsets else None
