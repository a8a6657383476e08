"""Compressed frames: checksum, method, sizes, data (LZ4 in both directions)."""

import lz4.block  # type: ignore[import-untyped]
from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]

from leadvelocity.stack.clickhouse.byte_source import ByteSource
from leadvelocity.stack.clickhouse.errors import ProtocolError

FRAME_BYTES_MAX = 1 << 30
"""A frame that says it is larger is refused."""

_LZ4 = 0x82
_NONE = 0x02
_CHECKSUM_BYTES = 16
_HEADER_BYTES = 9
_PIECE_BYTES = 1 << 20


def compressed(data: bytes) -> bytes:
    """Return `data` in frames of a megabyte at most."""
    pieces = (data[start : start + _PIECE_BYTES] for start in range(0, len(data), _PIECE_BYTES))
    return b"".join(_frame(piece) for piece in pieces)


def read_frame(source: ByteSource) -> bytes:
    """Return the content of the next frame.

    Raises
    ------
    ProtocolError
        It is damaged, or compressed by a method other than LZ4.
    """
    checksum = source.take(_CHECKSUM_BYTES)
    header = source.take(_HEADER_BYTES)
    size = int.from_bytes(header[1:5], "little")
    full_size = int.from_bytes(header[5:9], "little")
    if not _HEADER_BYTES <= size <= FRAME_BYTES_MAX or full_size > FRAME_BYTES_MAX:
        raise ProtocolError(f"a frame of {size} bytes, {full_size} when unpacked")
    body = source.take(size - _HEADER_BYTES)
    source.let_go()
    if _checksum(header + body) != checksum:
        raise ProtocolError("a damaged frame")
    if header[0] == _NONE:
        return body
    if header[0] != _LZ4:
        raise ProtocolError(f"compression method {header[0]:#x}; only lz4 is understood here")
    try:
        return bytes(lz4.block.decompress(body, uncompressed_size=full_size))
    except lz4.block.LZ4BlockError as error:
        raise ProtocolError(f"a frame that cannot be unpacked: {error}") from None


def _frame(piece: bytes) -> bytes:
    body: bytes = lz4.block.compress(piece, store_size=False)
    sizes = (_HEADER_BYTES + len(body)).to_bytes(4, "little") + len(piece).to_bytes(4, "little")
    content = bytes([_LZ4]) + sizes + body
    return _checksum(content) + content


def _checksum(content: bytes) -> bytes:
    value: int = CityHash128(content)
    # The library gives the halves as one number, the first half high.
    return (value >> 64).to_bytes(8, "little") + (value & (1 << 64) - 1).to_bytes(8, "little")
