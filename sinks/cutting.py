"""Where a partition is cut into blocks: by offsets and sizes, never by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sinks.port import Block, Collected, RejectedRow, SinkRejected
from sinks.rejected import text_of_record
from sinks.rows import block_of

BLOCK_OFFSETS = 16_384
"""No block goes across a multiple of it, so two sinks that catch up cut alike. An insert costs
ClickHouse some 25 ms whatever it holds, as much as 8,000 rows: blocks are better large."""

BLOCK_BYTES_MAX = 4 << 20
"""Bytes of the records of one block, as they stand in the topic; a single record may be larger."""

Decoded = Mapping[str, object]


@dataclass(slots=True)
class _Piece:
    """Rows between two cuts."""

    offsets: list[int] = field(default_factory=list)
    records: list[Decoded] = field(default_factory=list)
    size_bytes: int = 0

    def takes(self, offset: int, size_bytes: int) -> bool:
        return not self.offsets or (
            offset // BLOCK_OFFSETS == self.offsets[0] // BLOCK_OFFSETS
            and self.size_bytes + size_bytes <= BLOCK_BYTES_MAX
        )


class Cutter:
    """Rows of one partition, in pieces that become blocks.

    Parameters
    ----------
    topic : str
    partition : int
    """

    def __init__(self, topic: str, partition: int) -> None:
        self._topic = topic
        self._partition = partition
        self._whole: list[_Piece] = []
        self._tail = _Piece()
        self.size_bytes = 0

    @property
    def tail_rows(self) -> int:
        """Rows since the last cut."""
        return len(self._tail.offsets)

    def add(self, offset: int, record: Decoded, size_bytes: int) -> None:
        """Take the next record.

        Parameters
        ----------
        size_bytes : int
            Of its value in the topic.
        """
        if not self._tail.takes(offset, size_bytes):
            self._whole.append(self._tail)
            self._tail = _Piece()
        self._tail.offsets.append(offset)
        self._tail.records.append(record)
        self._tail.size_bytes += size_bytes
        self.size_bytes += size_bytes

    def take(self, *, tail: bool) -> Collected:
        """Hand over whole pieces, and with `tail` what is there of the next one.

        Records that do not fit their columns come out as rejected rows.
        """
        pieces, self._whole = self._whole, []
        if tail and self._tail.offsets:
            pieces.append(self._tail)
            self._tail = _Piece()
        self.size_bytes = self._tail.size_bytes
        rejected: list[RejectedRow] = []
        blocks = [self._block(piece, rejected) for piece in pieces]
        return Collected(
            rejected=tuple(rejected),
            blocks=tuple(each for each in blocks if each is not None),
            complete=not self.tail_rows,
        )

    def _block(self, piece: _Piece, rejected: list[RejectedRow]) -> Block | None:
        try:
            return block_of(self._topic, self._partition, piece.offsets, piece.records)
        except SinkRejected:
            fitting = [
                each
                for each in zip(piece.offsets, piece.records, strict=True)
                if self._fits(*each, rejected)
            ]
        if not fitting:
            return None
        offsets, records = zip(*fitting, strict=True)
        return block_of(self._topic, self._partition, offsets, records)

    def _fits(self, offset: int, record: Decoded, rejected: list[RejectedRow]) -> bool:
        try:
            block_of(self._topic, self._partition, [offset], [record])
        except SinkRejected as error:
            rejected.append(
                RejectedRow(
                    topic=self._topic,
                    partition=self._partition,
                    offset=offset,
                    reason=str(error),
                    record=text_of_record(record),
                )
            )
            return False
        return True
