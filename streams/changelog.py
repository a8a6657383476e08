"""The changelog: a task's state and source positions as a compacted topic's partition."""

import asyncio
from collections.abc import Mapping

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.exits import EngineError
from streams.ledger import Positions
from streams.settings import KafkaConnection

POSITIONS_KEY = b"\x00positions"
"""Key of the positions' record; no lead id can be it, control characters are refused."""

FETCH_BYTES_MAX = 8 << 20

_positions = msgspec.json.Decoder(dict[str, int])


class CorruptChangelog(EngineError):
    """The changelog holds what we did not write."""


def positions_entry(positions: Positions) -> tuple[bytes, bytes]:
    """Return key and value of the record that holds `positions`."""
    return POSITIONS_KEY, msgspec.json.encode(dict(sorted(positions.items())))


class Changelog:
    """Reads back one partition of a changelog.

    Parameters
    ----------
    topic : str
    partition : int
    """

    def __init__(self, connection: KafkaConnection, *, topic: str, partition: int) -> None:
        self._connection = connection
        self._partition = TopicPartition(topic, partition)

    async def restore(self) -> tuple[Positions, Mapping[bytes, bytes]]:
        """Read to the last stable offset; call it only after the owner before was fenced.

        Returns
        -------
        positions : mapping of str to int
        entries : mapping of bytes to bytes
            The last value of each key.

        Raises
        ------
        CorruptChangelog
            If the positions are not readable, or a record has no key.
        """
        entries: dict[bytes, bytes] = {}
        consumer = AIOKafkaConsumer(
            **self._connection.aiokafka(),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
        )
        try:
            await consumer.start()
            consumer.assign([self._partition])
            await consumer.seek_to_beginning(self._partition)
            end = (await consumer.end_offsets([self._partition]))[self._partition]
            # The position also passes transaction markers and aborted records.
            while await consumer.position(self._partition) < end:
                fetched = await consumer.getmany(timeout_ms=1_000)
                for record in fetched.get(self._partition, ()):
                    if record.key is None:
                        raise CorruptChangelog(f"{self._partition} {record.offset}: no key")
                    if record.value is None:
                        entries.pop(record.key, None)
                    else:
                        entries[record.key] = record.value
                await asyncio.sleep(0)
        finally:
            await consumer.stop()
        return self._split(entries)

    def _split(self, entries: dict[bytes, bytes]) -> tuple[Positions, Mapping[bytes, bytes]]:
        value = entries.pop(POSITIONS_KEY, None)
        if value is None:
            if entries:
                raise CorruptChangelog(f"{self._partition}: state without positions")
            return {}, {}
        try:
            return _positions.decode(value), entries
        except msgspec.DecodeError as error:
            raise CorruptChangelog(f"{self._partition}: positions: {error}") from error
