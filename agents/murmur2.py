"""MurmurHash2, by which Kafka's clients choose the partition of a key.

No product of two numbers of 32 bits here is larger than a machine integer. A test holds it equal to
aiokafka's, which is slower.
"""

from typing import Final

from librt.strings import read_i32_le
from mypy_extensions import i64

_SEED: Final = 0x9747B28C
_M: Final[i64] = 0x5BD1E995
_MASK: Final[i64] = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Return the 32-bit hash of `data`, without sign; Kafka's seed.

    Source: MurmurHash2 by Austin Appleby, as Kafka's `Utils.murmur2` uses it.
    """
    size: i64 = len(data)
    hashed: i64 = _SEED ^ size
    place: i64 = 0
    while place <= size - 4:
        mixed: i64 = (i64(read_i32_le(data, place)) & _MASK) * _M & _MASK
        mixed = (mixed ^ mixed >> 24) * _M & _MASK
        hashed = hashed * _M & _MASK ^ mixed
        place += 4
    if place < size:
        tail: i64 = int.from_bytes(data[place:], "little")
        hashed = (hashed ^ tail) * _M & _MASK
    hashed = (hashed ^ hashed >> 13) * _M & _MASK
    return hashed ^ hashed >> 15
