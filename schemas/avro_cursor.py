"""A place in Avro bytes that moves forward, and reads the parts that all values are made of."""

from typing import Final, final

from librt.strings import read_f32_le, read_f64_le
from mypy_extensions import mypyc_attr

from schemas.dead_letter_reason import DeadLetterReason, Undecodable

INT64_BYTES_MAX: Final = 10
"""Of a whole number, which has 7 bits in each byte."""

_MORE: Final = 0x80
"""Marks each byte of a whole number but the last."""


@mypyc_attr(acyclic=True, free_list_len=1)
@final
class Cursor:
    """Reads part after part; refuses what is not there or means nothing.

    Slices beyond the end would come back short, so sizes are held against it first. A number
    beyond it is an IndexError, which `schemas.avro_reader` names.

    Parameters
    ----------
    data : bytes
    place : int
        Of the byte that is read next.
    """

    __slots__ = ("data", "place")

    def __init__(self, data: bytes, place: int) -> None:
        self.data: Final = data
        self.place = place

    def byte(self) -> int:
        """Read a byte."""
        byte = self.data[self.place]
        self.place += 1
        return byte

    def long(self) -> int:
        """Read a whole number of 64 bits; it need not have its shortest form."""
        bits = self.byte()
        if bits >= _MORE:
            bits = self._continued(bits - _MORE)
        return bits >> 1 ^ -(bits & 1)

    def count(self) -> int:
        """Read how many items the next block has.

        It may be any number, but reading them ends with the bytes: each takes one at least, or
        its schema would not have been taken (`schemas.writer_schema`).
        """
        count = self.long()
        if count < 0:
            self.long()  # the size of the block, for those who skip it
        return abs(count)

    def sized(self) -> bytes:
        """Read bytes after their number."""
        size = self.long()
        if size < 0:
            raise bad_value(f"a length of {size}")
        return self.take(size)

    def take(self, size: int) -> bytes:
        """Read so many bytes."""
        start = self.place
        if size > len(self.data) - start:
            raise truncated(f"{size} bytes from byte {start} on")
        self.place = start + size
        return self.data[start : self.place]

    def text(self) -> str:
        """Read a text."""
        data = self.sized()
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise bad_value(f"not UTF-8: {error.reason}") from error

    def check_end(self) -> None:
        """Refuse bytes after the place."""
        left = len(self.data) - self.place
        if left:
            raise Undecodable(DeadLetterReason.TRAILING_BYTES, f"{left} bytes too many")

    def double(self) -> float:
        """Read a float of 64 bits."""
        number = read_f64_le(self.data, self.place)
        self.place += 8
        return number

    def single(self) -> float:
        """Read a float of 32 bits."""
        number = read_f32_le(self.data, self.place)
        self.place += 4
        return number

    def _continued(self, bits: int) -> int:
        for shift in range(7, 7 * INT64_BYTES_MAX, 7):
            byte = self.byte()
            if byte < _MORE:
                bits |= byte << shift
                if bits >> 64:
                    raise bad_value("a whole number of more than 64 bits")
                return bits
            bits |= (byte - _MORE) << shift
        raise bad_value(f"a whole number of more than {INT64_BYTES_MAX} bytes")


def bad_value(what: str) -> Undecodable:
    """Return the error for bytes that mean nothing."""
    return Undecodable(DeadLetterReason.BAD_VALUE, f"not what its schema says: {what}")


def truncated(what: str) -> Undecodable:
    """Return the error for bytes that are not there."""
    return Undecodable(DeadLetterReason.TRUNCATED, f"ends too early: {what}")
