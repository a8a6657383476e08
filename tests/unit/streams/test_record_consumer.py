"""A reader of a broker that dies ends without cancelling whoever reads."""

import asyncio
import struct

import pytest
from aiokafka import TopicPartition
from aiokafka.protocol.admin import ApiVersionResponse_v0
from aiokafka.protocol.metadata import MetadataResponse_v0

from streams.record_consumer import RecordConsumer

NODE, TOPIC = 7, "changelog"
FETCH, LIST_OFFSETS, METADATA, API_VERSIONS = 1, 2, 3, 18
FOR_EVER_MS = 1_000_000


class DyingBroker:
    """Tells where it is and which topic it has; the first fetch kills it."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            api, _, correlation = struct.unpack(">hhi", (await reader.readexactly(size))[:8])
            if api == FETCH:
                break
            answer = self._versions() if api == API_VERSIONS else self._metadata(writer)
            writer.write(struct.pack(">ii", 4 + len(answer), correlation) + answer)
        writer.close()

    def _versions(self) -> bytes:
        known = [(FETCH, 4, 4), (LIST_OFFSETS, 0, 0), (METADATA, 0, 0), (API_VERSIONS, 0, 0)]
        return bytes(ApiVersionResponse_v0(0, known).encode())

    def _metadata(self, writer: asyncio.StreamWriter) -> bytes:
        host, port = writer.get_extra_info("sockname")
        partitions = [(0, 0, NODE, [NODE], [NODE])]
        return bytes(MetadataResponse_v0([(NODE, host, port)], [(0, TOPIC, partitions)]).encode())


async def test_a_reader_of_a_dead_broker_stops_without_a_cancellation(
    caplog: pytest.LogCaptureFixture,
):
    """Whoever stops a reader whose last fetch failed goes on: nobody has cancelled it."""
    server = await asyncio.start_server(DyingBroker().serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    reader = RecordConsumer(bootstrap_servers=f"{host}:{port}", retry_backoff_ms=FOR_EVER_MS)
    await reader.start()
    reader.assign([TopicPartition(TOPIC, 0)])
    reader.seek(TopicPartition(TOPIC, 0), 0)
    while "Failed fetch messages" not in caplog.text:  # noqa: ASYNC110  # only its log tells
        await asyncio.sleep(0)

    await reader.stop()

    server.close()
