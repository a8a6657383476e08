"""A place in MessagePack that moves forward, and reads what states are made of.

msgspec would read all of a state into tuples first, only for them to be thrown away.
"""

from typing import Final, final

from librt.strings import read_f64_be, read_i64_be
from mypy_extensions import i64, mypyc_attr

from schemas.messagepack import (
    ARRAY_16,
    BIN_8,
    FALSE,
    FIX_ARRAY,
    FIX_STR,
    FLOAT_64,
    INT_8,
    INT_64,
    NIL,
    STR_8,
    TRUE,
    UINT_8,
    UINT_64,
)
from scoring.event import Scalar

_FIX_ARRAY_MAX: Final = 0x9F
_FIX_STR_MAX: Final = 0xBF
"""Of the marks that tell a size themselves."""

_FIX_INT_MAX: Final = 0x7F
_FIX_INT_BELOW_0: Final = 0xE0
"""Of the marks that are a number themselves."""

_SIZE_LOG_MAX: Final = 2
"""A size has four bytes at most."""


class NotMessagePack(ValueError):
    """Bytes that are not what was to be read."""


@mypyc_attr(acyclic=True, free_list_len=1)
@final
class Cursor:
    """Reads part after part; refuses what is of another kind (NotMessagePack) or not there.

    Bytes that end too early are an IndexError.

    Parameters
    ----------
    data : bytes
    place : int
        Of the byte that is read next.
    """

    __slots__ = ("data", "place")

    def __init__(self, data: bytes, place: i64) -> None:
        self.data: Final = data
        self.place: i64 = place

    def array_items(self) -> i64:
        """Read how many items follow."""
        mark = self._byte()
        if FIX_ARRAY <= mark <= _FIX_ARRAY_MAX:
            return mark - FIX_ARRAY
        return self._size(mark, ARRAY_16, sizes_from=1)

    def nil(self) -> bool:
        """Read that there is nothing, if that comes next."""
        if self.data[self.place] != NIL:
            return False
        self.place += 1
        return True

    def whole(self) -> i64:
        """Read a whole number of 64 bits."""
        return self._whole(self._byte())

    def double(self) -> float:
        """Read a float of 64 bits."""
        mark = self._byte()
        if mark != FLOAT_64:
            raise _another(mark)
        return self._double()

    def text(self) -> str:
        """Read a text."""
        return self._text(self._byte())

    def sized(self) -> bytes:
        """Read bytes."""
        return self._take(self._size(self._byte(), BIN_8, sizes_from=0))

    def scalar(self) -> Scalar:
        """Read a value of any of these types."""
        mark = self._byte()
        if FIX_STR <= mark <= _FIX_STR_MAX or STR_8 <= mark < ARRAY_16:
            return self._text(mark)
        if mark == FLOAT_64:
            return self._double()
        if mark in (TRUE, FALSE):
            return mark == TRUE
        return None if mark == NIL else self._whole(mark)

    def check_end(self) -> None:
        """Refuse bytes after the place."""
        if self.place != len(self.data):
            raise NotMessagePack(f"bytes after byte {self.place}")

    def _byte(self) -> i64:
        byte: i64 = self.data[self.place]
        self.place += 1
        return byte

    def _double(self) -> float:
        number = read_f64_be(self.data, self.place)
        self.place += 8
        return number

    def _text(self, mark: i64) -> str:
        if FIX_STR <= mark <= _FIX_STR_MAX:
            return self._take(mark - FIX_STR).decode()
        return self._take(self._size(mark, STR_8, sizes_from=0)).decode()

    def _whole(self, mark: i64) -> i64:
        if mark <= _FIX_INT_MAX:
            return mark
        if mark >= _FIX_INT_BELOW_0:
            return mark - 0x100
        if mark in (UINT_64, INT_64):
            number = read_i64_be(self.data, self.place)
            self.place += 8
            if mark == UINT_64 and number < 0:
                raise NotMessagePack("a whole number of more than 64 bits")
            return number
        if UINT_8 <= mark < UINT_64:
            return self._big_endian(1 << mark - UINT_8)
        if not INT_8 <= mark < INT_64:
            raise _another(mark)
        size: i64 = 1 << mark - INT_8
        bits = self._big_endian(size)
        return bits - (bits >> 8 * size - 1 << 8 * size)

    def _size(self, mark: i64, first: i64, *, sizes_from: i64) -> i64:
        """Read a size after one of the marks for 1, 2 and 4 bytes."""
        size_log = mark - first + sizes_from
        if mark < first or size_log > _SIZE_LOG_MAX:
            raise _another(mark)
        return self._big_endian(1 << size_log)

    def _big_endian(self, size: i64) -> i64:
        number: i64 = 0
        for _ in range(size):
            number = number << 8 | self._byte()
        return number

    def _take(self, size: i64) -> bytes:
        start = self.place
        if size > len(self.data) - start:
            raise IndexError
        self.place = start + size
        return self.data[start : self.place]


def _another(mark: i64) -> NotMessagePack:
    return NotMessagePack(f"another kind of value, marked {mark:#x}")
