"""Unpacks what was fetched of a partition straight into the engine's own records."""

from collections.abc import Iterable
from typing import Any, Final, final

from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord

from agents.records import Record


@final
class FetchedRecords:
    """Iterates over the committed records of one partition in one answer to a fetch.

    Takes the place of aiokafka's `PartitionRecords`, which makes a dataclass of each record only
    for us to copy it. A batch is unpacked at a time.

    Parameters
    ----------
    partition : TopicPartition
    batches : aiokafka.record.memory_records.MemoryRecords
    aborted : iterable of tuple of int
        Producer and first offset of each transaction in here that was aborted.
    fetch_offset : int
        From where was asked; a batch may begin before it.

    Attributes
    ----------
    next_fetch_offset : int
        What comes after the records handed out, past what readers do not see.
    """

    __slots__ = (
        "_aborted",
        "_aborting",
        "_batches",
        "_is_over",
        "_next_batch_offset",
        "_partition",
        "_topic",
        "_waiting",
        "next_fetch_offset",
    )

    def __init__(
        self,
        partition: TopicPartition,
        batches: Any,
        aborted: Iterable[tuple[int, int]],
        fetch_offset: int,
    ) -> None:
        self._topic: Final[str] = partition.topic
        self._partition: Final[int] = partition.partition
        self._batches: Final = batches
        self._aborted = sorted([(first, producer) for producer, first in aborted], reverse=True)
        self._aborting: Final[set[int]] = set()
        self._waiting: list[Record] = []  # the last is the next
        self._is_over = False
        self._next_batch_offset = fetch_offset
        self.next_fetch_offset = fetch_offset

    def __iter__(self) -> "FetchedRecords":
        return self

    def __next__(self) -> Record:
        while not self._waiting:
            self.next_fetch_offset = self._next_batch_offset
            if self._is_over or not self._batches.has_next():
                raise StopIteration
            self._is_over = True  # an error is raised once; then all from here is fetched again
            self._unpack(self._batches.next_batch())
            self._is_over = False
        record = self._waiting.pop()
        self.next_fetch_offset = record.offset + 1
        return record

    def _unpack(self, batch: Any) -> None:
        if not batch.validate_crc():
            raise CorruptRecordException(f"{self._topic}-{self._partition}: a batch's CRC is wrong")
        self._waiting = [] if self._is_hidden(batch) else self._records(batch)
        self._waiting.reverse()
        # Also past records at its end that compaction took.
        self._next_batch_offset = batch.next_offset

    def _is_hidden(self, batch: Any) -> bool:
        """Whether no reader gets the records of `batch`: a marker, or of an aborted transaction."""
        begin: int = batch.base_offset
        while self._aborted and self._aborted[-1][0] <= begin:
            self._aborting.add(self._aborted.pop()[1])
        if batch.is_control_batch:
            marker = next(iter(batch), None)
            if marker is not None and ControlRecord.parse(marker.key) == ABORT_MARKER:
                self._aborting.discard(batch.producer_id)
            return True
        return batch.is_transactional and batch.producer_id in self._aborting

    def _records(self, batch: Iterable[Any]) -> list[Record]:
        records: list[Record] = []
        topic, partition, begin = self._topic, self._partition, self.next_fetch_offset
        for raw in batch:
            offset: int = raw.offset
            if offset >= begin:
                raw_headers = raw.headers
                headers = tuple(raw_headers) if raw_headers else ()
                records.append(
                    Record(topic, partition, offset, raw.timestamp, raw.key, raw.value, headers)
                )
        return records
