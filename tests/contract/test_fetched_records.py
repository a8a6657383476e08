"""What `FetchedRecords` gives, held against aiokafka's own way; and aiokafka's inner names."""

import gc
import struct
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from hypothesis import example, given
from hypothesis import strategies as st

from agents.records import Record
from streams.fetched_records import FetchedRecords
from streams.record_consumer import _Fetched

PARTITION = TopicPartition("visits", 3)
CRC_AT, ATTRIBUTES_AT, LAST_OFFSET_AT = 17, 21, 23
TRANSACTIONAL, CONTROL = 0x10, 0x20
CODECS = [
    DefaultRecordBatch.CODEC_NONE,
    DefaultRecordBatch.CODEC_GZIP,
    DefaultRecordBatch.CODEC_SNAPPY,
    DefaultRecordBatch.CODEC_LZ4,
    DefaultRecordBatch.CODEC_ZSTD,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A batch; `gaps` are what compaction took before each record, `lost` what it took after."""

    producer: int = -1
    transactional: bool = False
    marker: bool | None = None  # whether its transaction is committed
    codec: int = DefaultRecordBatch.CODEC_NONE
    gaps: Sequence[int] = ()
    lost: int = 0
    intact: bool = True


def packed(sent: Sent, base: int) -> tuple[bytes, int]:
    """Return a batch as it is on the wire, and the offset after it."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=sent.codec if sent.gaps else DefaultRecordBatch.CODEC_NONE,
        is_transactional=int(sent.transactional),
        producer_id=sent.producer,
        producer_epoch=0,
        base_sequence=0,
        batch_size=1 << 20,
    )
    offset = -1
    if sent.marker is None:
        for gap in sent.gaps:
            offset += 1 + gap
            key = None if offset % 5 == 0 else b"lead-%d" % offset
            headers = [("ce_id", b"%d" % offset)] if offset % 3 == 0 else []
            builder.append(offset, 1_000 + offset, key, b"%d" % offset * 40, headers)
    else:
        offset = 0
        builder.append(0, 1_000, struct.pack(">hh", 0, int(sent.marker)), b"\0" * 6, [])
    data = bytearray(builder.build())
    data[:8] = struct.pack(">q", base)
    last = max(0, offset + sent.lost)
    data[LAST_OFFSET_AT : LAST_OFFSET_AT + 4] = struct.pack(">i", last)
    if sent.marker is not None:
        data[ATTRIBUTES_AT + 1] |= CONTROL | TRANSACTIONAL
    crc = calc_crc32c(bytes(data[ATTRIBUTES_AT:]))
    data[CRC_AT:ATTRIBUTES_AT] = struct.pack(">I", crc if sent.intact else crc ^ 1)
    return bytes(data), base + last + 1


def fetched(batches: Sequence[Sent], first: int) -> bytes:
    data, base = b"", first
    for sent in batches:
        one, base = packed(sent, base)
        data += one
    return data


def theirs(data: bytes, aborted: Sequence[tuple[int, int]], position: int) -> PartitionRecords:
    return PartitionRecords(
        PARTITION, MemoryRecords(data), list(aborted), position, None, None, True, READ_COMMITTED
    )


def ours(data: bytes, aborted: Sequence[tuple[int, int]], position: int) -> FetchedRecords:
    return FetchedRecords(PARTITION, MemoryRecords(data), aborted, position)


def all_of(records: FetchedRecords | PartitionRecords) -> list[tuple[object, ...]]:
    """Every record, with the position after it, and last the position at the end."""
    found: list[tuple[object, ...]] = []
    for each in records:
        timestamp = each.timestamp_ms if isinstance(each, Record) else each.timestamp
        place = (each.topic, each.partition, each.offset, timestamp)
        found.append((*place, each.key, each.value, each.headers, records.next_fetch_offset))
    return [*found, (records.next_fetch_offset,)]


PRODUCERS = st.integers(1, 2)
PLAIN = st.builds(
    Sent,
    codec=st.sampled_from(CODECS),
    gaps=st.lists(st.integers(0, 2), max_size=4),
    lost=st.integers(0, 2),
)
IN_TRANSACTION = st.builds(
    Sent,
    producer=PRODUCERS,
    transactional=st.just(True),
    gaps=st.lists(st.integers(0, 2), min_size=1, max_size=4),
)
MARKER = st.builds(Sent, producer=PRODUCERS, marker=st.booleans())


ABORTED_THEN_COMMITTED = [
    Sent(producer=1, transactional=True, gaps=[0]),
    Sent(producer=1, marker=False),
    Sent(producer=1, transactional=True, gaps=[0]),
    Sent(producer=1, marker=True),
]


@example(batches=ABORTED_THEN_COMMITTED, first=0, ahead=0, aborted=[(1, 0)])
@given(
    batches=st.lists(PLAIN | IN_TRANSACTION | MARKER, max_size=8),
    first=st.integers(0, 3),
    ahead=st.integers(0, 8),
    aborted=st.lists(st.tuples(PRODUCERS, st.integers(0, 30)), max_size=4, unique=True),
)
def test_what_is_fetched_is_what_aiokafka_makes_of_it(batches, first, ahead, aborted):
    """Records and positions are aiokafka's: past markers, aborted batches and what compaction took.

    The position to read from may lie within a batch.
    """
    data, position = fetched(batches, first), first + ahead
    assert all_of(ours(data, aborted, position)) == all_of(theirs(data, aborted, position))


def test_a_batch_with_a_wrong_crc_is_fetched_again():
    """An error is raised where the corrupt batch begins, and nothing after it is handed out."""
    data = fetched([Sent(gaps=[0, 0]), Sent(gaps=[0], intact=False), Sent(gaps=[0])], 0)
    for records in (ours(data, [], 0), theirs(data, [], 0)):
        assert [next(records).offset, next(records).offset] == [0, 1]
        with pytest.raises(CorruptRecordException):
            next(records)
        assert next(records, None) is None
        assert records.next_fetch_offset == 2


def test_an_emptied_marker_ends_no_aborted_transaction():
    """A marker whose record compaction took is passed; its transaction stays aborted."""
    emptied, size = bytearray(packed(Sent(producer=1, marker=False), 1)[0]), 61
    emptied = emptied[:size]
    emptied[8:12] = struct.pack(">i", size - 12)
    emptied[57:61] = struct.pack(">i", 0)
    emptied[CRC_AT:ATTRIBUTES_AT] = struct.pack(">I", calc_crc32c(bytes(emptied[ATTRIBUTES_AT:])))
    begin, end = (
        fetched([Sent(producer=1, transactional=True, gaps=[0])], each) for each in (0, 2)
    )
    records = ours(begin + bytes(emptied) + end, [(1, 0)], 0)
    assert list(records) == []
    assert records.next_fetch_offset == 3


async def test_aiokafka_keeps_results_where_we_put_our_own():
    """The inner names of aiokafka that `RecordConsumer` goes by are still there."""
    consumer = AIOKafkaConsumer()
    fetcher = Fetcher(consumer._client, consumer._subscription)
    try:
        assert type(fetcher._records) is OrderedDict
        assert "_fetcher" in vars(consumer)
        data = fetched([Sent(gaps=[0, 1])], 0)
        result = FetchResult(
            PARTITION, assignment=None, partition_records=theirs(data, [], 1), backoff=0
        )
        results = _Fetched()
        results[PARTITION] = result
        records = result._partition_records
        assert isinstance(records, FetchedRecords)
        assert [(type(each), each.offset) for each in records] == [(Record, 2)]
    finally:
        await fetcher.close()
        await consumer.stop()


def test_what_was_fetched_is_not_kept():
    """A worker looks for cycles seldom: what aiokafka unpacks with goes at once, bytes and all."""
    unpacking = theirs(fetched([Sent(gaps=[0])], 0), [], 0)
    gone = weakref.ref(unpacking)
    result = FetchResult(PARTITION, assignment=None, partition_records=unpacking, backoff=0)
    gc.disable()
    try:
        _Fetched()[PARTITION] = result
        del unpacking
        assert gone() is None
    finally:
        gc.enable()
