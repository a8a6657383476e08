"""Records as Kafka takes them: batches in its own format, written as they go over the wire.

aiokafka's builder makes an object of each record's metadata, which costs more than all else and
nobody here looks at.
"""

from collections.abc import Callable
from struct import Struct
from typing import Final, final

import google_crc32c
from librt.strings import BytesWriter
from mypy_extensions import i64

from agents.records import Headers, Output
from schemas.varint import long_size, write_bytes, write_long

_HEAD: Final = Struct(">qiibI")
"""First offset (the broker sets it), length after it, leader epoch (the broker's), format, CRC."""

_CHECKED: Final = Struct(">hiqqqhii")
"""Attributes, last offset, first and last time, producer's id and epoch, sequence, records."""

_LENGTH_AFTER: Final = 12
_NO_EPOCH: Final = -1
_FORMAT: Final = 2
_TRANSACTIONAL: Final = 0x10

HEAD_BYTES: Final = 61
"""Of a batch without records."""


@final
class RecordBatch:
    """Records of one partition, written within a transaction: a batch of format 2 (KIP-98).

    It has of aiokafka's BatchBuilder what a producer's `send_batch` uses.

    Parameters
    ----------
    bytes_max : int
        It takes no more, but for one record of any size: the broker judges that.
    timestamp_ms : int
        Time of all its records: that of processing, never event time, or retention would eat them.
    """

    def __init__(self, *, bytes_max: int, timestamp_ms: int) -> None:
        self._bytes_max: Final[i64] = bytes_max
        self._timestamp_ms: Final = timestamp_ms
        self._records: i64 = 0
        self._out: Final = BytesWriter()
        self._closed = False
        self._producer = (-1, -1, -1)

    def append(self, record: Output) -> bool:
        """Append a record, if there is room."""
        if self._closed:
            return False
        headers = b"\0" if not record.headers else _headers(record.headers)
        key, value = record.key, record.value
        body: i64 = 2 + long_size(self._records) + _size(key) + _size(value) + len(headers)
        if self._records:
            size: i64 = HEAD_BYTES + len(self._out) + long_size(body) + body
            if size > self._bytes_max:
                return False
        out = self._out
        write_long(out, body)
        out.append(0)  # attributes, of which there are none
        out.append(0)  # milliseconds after the first record
        write_long(out, self._records)
        _write(out, key)
        _write(out, value)
        out.write(headers)
        self._records += 1
        return True

    def close(self) -> None:
        """Take no more records."""
        self._closed = True

    def closed(self) -> bool:
        """Whether it takes no more records."""
        return self._closed

    def record_count(self) -> int:
        """Return how many records there are."""
        return self._records

    def size(self) -> int:
        """Return how many bytes it has."""
        return HEAD_BYTES + len(self._out)

    def _set_producer_state(self, producer_id: int, epoch: int, sequence: int) -> None:
        self._producer = producer_id, epoch, sequence

    def _build(self) -> bytes:
        self._closed = True
        last, at_ms = self._records - 1, self._timestamp_ms
        checked = _CHECKED.pack(_TRANSACTIONAL, last, at_ms, at_ms, *self._producer, self._records)
        checked += self._out.getvalue()
        length = _HEAD.size + len(checked) - _LENGTH_AFTER
        return _HEAD.pack(0, length, _NO_EPOCH, _FORMAT, google_crc32c.value(checked)) + checked


def batches_of(records: list[Output], new: Callable[[], RecordBatch]) -> list[RecordBatch]:
    """Return records of one partition in as many batches as they need, in their order."""
    batch = new()
    batches = [batch]
    for record in records:
        if not batch.append(record):
            batch = new()
            batches.append(batch)
            appended = batch.append(record)
            assert appended, "an empty batch takes any record"
    return batches


def _headers(headers: Headers) -> bytes:
    out = BytesWriter()
    write_long(out, len(headers))
    for name, content in headers:
        write_bytes(out, name.encode())
        _write(out, content)
    return out.getvalue()


def _size(data: bytes | None) -> i64:
    if data is None:
        return 1
    length: i64 = len(data)
    return long_size(length) + length


def _write(out: BytesWriter, data: bytes | None) -> None:
    if data is None:
        write_long(out, -1)
    else:
        write_bytes(out, data)
