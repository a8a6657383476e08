"""Whole numbers in as few bytes as they need, as Avro and Kafka's record batches have them.

Zigzag (0, -1, 1, -2, … become 0, 1, 2, 3, …), then seven bits a byte, the lowest first; all bytes
but the last have their highest bit set.
"""

from librt.strings import BytesWriter
from mypy_extensions import i64, u8


def write_long(out: BytesWriter, number: i64) -> None:
    """Write a whole number of 64 bits."""
    bits: i64 = number << 1 ^ number >> 63
    while bits & ~0x7F:
        out.append(u8(bits & 0x7F | 0x80))
        bits = bits >> 7 & 0x1FF_FFFF_FFFF_FFFF
    out.append(u8(bits))


def long_size(number: i64) -> i64:
    """Return how many bytes `write_long` writes."""
    bits: i64 = number << 1 ^ number >> 63
    size: i64 = 1
    while bits & ~0x7F:
        bits = bits >> 7 & 0x1FF_FFFF_FFFF_FFFF
        size += 1
    return size


def write_bytes(out: BytesWriter, data: bytes) -> None:
    """Write bytes after their length."""
    write_long(out, len(data))
    out.write(data)
