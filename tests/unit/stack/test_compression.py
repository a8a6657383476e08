"""Compressed frames: held against clickhouse-driver's own."""

from io import BytesIO

import pytest
from clickhouse_driver.bufferedreader import BufferedReader
from clickhouse_driver.compression.lz4 import Compressor, Decompressor
from clickhouse_driver.reader import read_binary_uint8, read_binary_uint128
from clickhouse_driver.streams.compressed import CompressedBlockOutputStream
from hypothesis import given
from hypothesis import strategies as st

from leadvelocity.stack.clickhouse.byte_source import ByteSource
from leadvelocity.stack.clickhouse.compression import compressed, read_frame
from leadvelocity.stack.clickhouse.errors import ProtocolError


class Bytes(BufferedReader):  # type: ignore[misc]
    """The driver's reader over bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        super().__init__(len(data) + 1)

    def read_into_buffer(self) -> None:
        """Give all there is, once."""
        self.buffer[: len(self._data)] = self._data
        self.current_buffer_size, self._data = len(self._data), b""


@given(st.binary(min_size=1, max_size=2_000))
def test_the_driver_reads_our_frames(data):
    """What we compress, the driver unpacks."""
    reader = Bytes(compressed(data))
    checksum = read_binary_uint128(reader)
    method = read_binary_uint8(reader)

    assert Decompressor(reader).get_decompressed_data(method, checksum, 1) == data


@given(st.binary(min_size=1, max_size=2_000))
def test_we_read_the_drivers_frames(data):
    """What the driver compresses, we unpack."""
    sent = BytesIO()
    stream = CompressedBlockOutputStream(Compressor, 1 << 20, sent, None)
    stream.fout.write(data)
    stream.finalize()

    assert read_frame(ByteSource.over(sent.getvalue())) == data


def test_large_data_goes_in_several_frames():
    """No frame is larger than a megabyte when unpacked."""
    data = bytes(range(256)) * 10_000
    source = ByteSource.over(compressed(data))

    frames = [read_frame(source) for _ in range(3)]

    assert b"".join(frames) == data
    assert max(len(frame) for frame in frames) == 1 << 20


@given(st.integers(0, 40), st.integers(1, 255))
def test_a_damaged_frame_is_refused(position, change):
    """Not one changed bit gets through."""
    frame = bytearray(compressed(b"velocity " * 20))
    frame[position % len(frame)] ^= change

    with pytest.raises(ProtocolError):
        read_frame(ByteSource.over(bytes(frame)))
