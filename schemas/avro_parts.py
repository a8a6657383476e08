"""Parts of Avro's binary encoding that generated writers put together."""

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any

KNOWN_MAX = 4096
KNOWN_BYTES_MAX = 256

_LOW = 2**14 - 1
_INT64_BITS = 64
_INT32_ABOVE = 2**31

PAIRS = [bytes((bits & 0x7F | 0x80, bits >> 7 | 0x80)) for bits in range(_LOW + 1)]
"""14 bits of a whole number that goes on after them."""

ENDS = [
    bytes((bits,)) if bits < 0x80 else bytes((bits & 0x7F | 0x80, bits >> 7))  # noqa: PLR2004
    for bits in range(_LOW + 1)
]
"""The last bits of a whole number, of which there are at most 14."""

double_bytes = Struct("<d").pack
float_bytes = Struct("<f").pack

BOOLEANS = {False: b"\0", True: b"\1"}


class Known(dict[Any, bytes]):
    """Values that come again and again, and their bytes; there are not too many of them.

    Parameters
    ----------
    encode : callable
        Makes the bytes of a value that is not known yet.
    """

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._encode = encode

    def __missing__(self, value: Any) -> bytes:
        data = self._encode(value)
        if len(data) <= KNOWN_BYTES_MAX:
            if len(self) >= KNOWN_MAX:
                self.clear()
            self[value] = data
        return data


def long_bytes(number: int) -> bytes:
    """Return a whole number of 64 bits.

    Raises
    ------
    OverflowError
        When it has more.
    """
    bits = number << 1 ^ number >> _INT64_BITS - 1
    if bits >> _INT64_BITS:
        raise OverflowError(f"{number} does not fit 64 bits")
    data = b""
    while bits > _LOW:
        data += PAIRS[bits & _LOW]
        bits >>= 14
    return data + ENDS[bits]


def int_bytes(number: int) -> bytes:
    """Return a whole number of 32 bits; see `long_bytes`."""
    if not -_INT32_ABOVE <= number < _INT32_ABOVE:
        raise OverflowError(f"{number} does not fit 32 bits")
    return long_bytes(number)


def text_bytes(text: str) -> bytes:
    """Return a text with its length."""
    data = text.encode()
    return long_bytes(len(data)) + data


def optional_bytes(index: int, encode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Return what writes the branch `index` of a union of two, the other of which is null."""
    null, other = long_bytes(1 - index), long_bytes(index)
    return lambda value: null if value is None else other + encode(value)


def fixed_bytes(data: bytes, size: int) -> bytes:
    """Return bytes of a fixed size as they are.

    Raises
    ------
    ValueError
        When there are more or fewer.
    """
    if len(data) != size:
        raise ValueError(f"{len(data)} bytes instead of {size}")
    return data


def no_branch(value: object) -> TypeError:
    """Return the error for a value that a union has no type for."""
    return TypeError(f"a union has no type for {type(value).__name__}")


def other_names(record: Mapping[str, object], names: tuple[str, ...]) -> ValueError:
    """Return the error for a record that has not just the fields of these names."""
    return ValueError(f"fields that differ: {', '.join(sorted({*record} ^ {*names}))}")
