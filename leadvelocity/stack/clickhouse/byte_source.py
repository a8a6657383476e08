"""Bytes as they arrive, read piece by piece."""

from collections.abc import Callable
from typing import Self

from leadvelocity.stack.clickhouse.errors import Disconnected, ProtocolError

BUFFER_BYTES_MAX = 1 << 30
"""A longer statement, frame or block is refused."""

_VARINT_BYTES_MAX = 10
_CONTINUES = 0x80


class ByteSource:
    """A buffer that fills itself.

    Parameters
    ----------
    fill : callable
        Returns the next bytes, or none at the end.

    Attributes
    ----------
    data : bytearray
        What has arrived and was not let go.
    at : int
        Where the next read begins; may lie beyond `data` until it is required.
    """

    __slots__ = ("_fill", "at", "data")

    def __init__(self, fill: Callable[[], bytes]) -> None:
        self._fill = fill
        self.data = bytearray()
        self.at = 0

    @classmethod
    def over(cls, data: bytes) -> Self:
        """Return a source of these bytes and no more."""
        source = cls(bytes)
        source.data = bytearray(data)
        return source

    def require(self, size: int) -> None:
        """Wait until `size` bytes can be read.

        Raises
        ------
        Disconnected
            There are no more.
        ProtocolError
            More would have to be kept than is allowed.
        """
        if self.at + size > BUFFER_BYTES_MAX:
            raise ProtocolError(f"more than {BUFFER_BYTES_MAX} bytes in one piece")
        while len(self.data) - self.at < size:
            piece = self._fill()
            if not piece:
                raise Disconnected("the connection ended")
            self.data += piece

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        self.require(size)
        piece = bytes(self.data[self.at : self.at + size])
        self.at += size
        return piece

    def byte(self) -> int:
        """Return the next byte."""
        self.require(1)
        value = self.data[self.at]
        self.at += 1
        return value

    def varint(self) -> int:
        """Return the next number of variable length."""
        value = 0
        for index in range(_VARINT_BYTES_MAX):
            byte = self.byte()
            value |= (byte & ~_CONTINUES) << (7 * index)
            if byte < _CONTINUES:
                return value
        raise ProtocolError("a number without end")

    def fixed(self, size: int) -> int:
        """Return the next little-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def text(self) -> str:
        """Return the next string; bytes that are no UTF-8 survive as surrogates."""
        return self.take(self.varint()).decode("utf-8", "surrogateescape")

    def let_go(self) -> None:
        """Forget what was read."""
        del self.data[: self.at]
        self.at = 0
