"""What states need of MessagePack, written into a buffer: byte for byte what msgspec writes.

msgspec wants all of a state's values in tuples, and making those takes longer than to write them.
"""

from typing import Final

from librt.strings import BytesWriter, write_f64_be, write_i64_be
from mypy_extensions import i64, u8

FIX_ARRAY: Final = 0x90
FIX_STR: Final = 0xA0
NIL: Final = 0xC0
FALSE: Final = 0xC2
TRUE: Final = 0xC3
BIN_8: Final = 0xC4
FLOAT_64: Final = 0xCB
UINT_8: Final = 0xCC
UINT_64: Final = 0xCF
INT_8: Final = 0xD0
INT_64: Final = 0xD3
STR_8: Final = 0xD9
ARRAY_16: Final = 0xDC


def write_array_head(out: BytesWriter, items: i64) -> None:
    """Write what stands before so many items."""
    if items <= 0x0F:  # noqa: PLR2004  # what fits beside the mark
        out.append(u8(FIX_ARRAY | items))
    else:
        _sized(out, items, ARRAY_16, sizes_from=1)


def write_nil(out: BytesWriter) -> None:
    """Write that there is nothing."""
    out.append(NIL)


def write_int(out: BytesWriter, number: i64) -> None:
    """Write a whole number of 64 bits, in as few bytes as it needs."""
    if -0x20 <= number <= 0x7F:  # noqa: PLR2004  # these are their own marks
        out.append(u8(number & 0xFF))
    elif number > 0xFFFF_FFFF:  # noqa: PLR2004  # as times are
        out.append(UINT_64)
        write_i64_be(out, number)
    elif number > 0:
        _sized(out, number, UINT_8, sizes_from=0)
    else:
        bits = ~number  # what the sign leaves
        size_log: i64 = 0
        while bits >> (8 << size_log) - 1:
            size_log += 1
        out.append(u8(INT_8 + size_log))
        _big_endian(out, number, 1 << size_log)


def write_float(out: BytesWriter, number: float) -> None:
    """Write a float of 64 bits."""
    out.append(FLOAT_64)
    write_f64_be(out, number)


def write_text(out: BytesWriter, text: str) -> None:
    """Write a text."""
    data = text.encode()
    if len(data) <= 0x1F:  # noqa: PLR2004  # what fits beside the mark
        out.append(u8(FIX_STR | len(data)))
    else:
        _sized(out, len(data), STR_8, sizes_from=0)
    out.write(data)


def write_bytes(out: BytesWriter, data: bytes) -> None:
    """Write bytes."""
    _sized(out, len(data), BIN_8, sizes_from=0)
    out.write(data)


def write_scalar(out: BytesWriter, value: str | float | bool | None) -> None:
    """Write a value of any of these types."""
    if value is None:
        out.append(NIL)
    elif isinstance(value, str):
        write_text(out, value)
    elif isinstance(value, bool):
        out.append(TRUE if value else FALSE)
    elif isinstance(value, int):
        write_int(out, value)
    else:
        write_float(out, value)


def _sized(out: BytesWriter, number: i64, mark: i64, *, sizes_from: i64) -> None:
    """Write a number below 2**32 after one of the marks for 1, 2 and 4 bytes."""
    size_log = sizes_from
    while number >> (8 << size_log):
        size_log += 1
    out.append(u8(mark + size_log - sizes_from))
    _big_endian(out, number, 1 << size_log)


def _big_endian(out: BytesWriter, number: i64, size: i64) -> None:
    while size > 0:
        size -= 1
        out.append(u8(number >> 8 * size & 0xFF))
