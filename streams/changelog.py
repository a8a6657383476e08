"""The changelog: a task's state and source positions as a compacted topic's partition."""

import asyncio
import logging
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.records import Record
from streams.exits import ChangelogLost, CorruptChangelog
from streams.kafka_clients import KafkaClients
from streams.ledger import Positions
from streams.state_store import Changes, StateFormat, StateStore

logger = logging.getLogger(__name__)

POSITIONS_KEY, ATTEMPT_KEY = b"\x00positions", b"\x00attempt"
"""Keys of the engine's own entries; no lead id can be one, control characters are refused."""

RESTORE_WAIT_MS = 1_000
RESTORE_RECORDS_MAX = 5_000
"""Records that are unpacked at a time: all tasks of a worker may read back at once."""

_OURS = frozenset((POSITIONS_KEY, ATTEMPT_KEY))
_positions = msgspec.json.Decoder(dict[str, int])


def positions_value(positions: Positions) -> bytes:
    """Return `positions` as the value of their entry."""
    return msgspec.json.encode(dict(sorted(positions.items())))


class EngineFormat:
    """An agent's format, and that of the engine's own entries beside it.

    Parameters
    ----------
    agent : StateFormat
    """

    def __init__(self, agent: StateFormat) -> None:
        self._agent = agent

    def check(self, key: bytes, value: bytes) -> None:
        """Read an entry wholly."""
        if key not in _OURS:
            self._agent.check(key, value)

    def due_ms(self, key: bytes, value: bytes) -> int | None:
        """Return when an entry is due."""
        return None if key in _OURS else self._agent.due_ms(key, value)


class Changelog:
    """Reads back one partition of a changelog.

    Parameters
    ----------
    clients : KafkaClients
    topic : str
    partition : int
    state_format : StateFormat
        Of the entries; one that it cannot read was not written by us.
    answer_s_max : float
        How long the broker may take to send something.
    """

    def __init__(
        self,
        clients: KafkaClients,
        *,
        topic: str,
        partition: int,
        state_format: StateFormat,
        answer_s_max: float,
    ) -> None:
        self._clients = clients
        self._partition = TopicPartition(topic, partition)
        self._format = EngineFormat(state_format)
        self._answer_s_max = answer_s_max
        self._unreadable: dict[bytes, _Unreadable] = {}

    async def restore(self, store: StateStore) -> Positions:
        """Bring `store` to the last stable offset; call it only after the owner before was fenced.

        Returns
        -------
        Positions

        Raises
        ------
        ChangelogLost
            Records were deleted that `store` does not have.
        CorruptChangelog
            The last entry of a key cannot be read, or there are states without positions.
        TimeoutError
            The broker sends nothing any more.
        """
        consumer = self._clients.reader()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as stopping:
            try:
                async with asyncio.timeout(self._answer_s_max) as answer:
                    await consumer.start()
                    consumer.assign([self._partition])
                    await self._catch_up(consumer, store, answer)
            finally:
                # To a broker that died amid it, a stop may wait for ever.
                stopping.reschedule(loop.time() + self._answer_s_max)
                await consumer.stop()
        return self._positions_in(store)

    async def _catch_up(
        self, consumer: AIOKafkaConsumer, store: StateStore, answer: asyncio.Timeout
    ) -> None:
        self._unreadable.clear()
        begin = (await consumer.beginning_offsets([self._partition]))[self._partition]
        end = (await consumer.end_offsets([self._partition]))[self._partition]
        if store.offset > end:
            logger.warning(
                "%s ends at %d, before the local copy's %d: it is read anew",
                self._name,
                end,
                store.offset,
            )
            store.clear()
        if store.offset < begin:
            raise ChangelogLost(
                f"{self._name} begins at {begin}: records were deleted from it, which compaction "
                "never does, and states with them; bring the topic back, or start under a new "
                "LEADVELOCITY_ENGINE__APP_ID to fold the topics anew"
            )
        consumer.seek(self._partition, store.offset)
        # The position also passes transaction markers and aborted records.
        while (position := await consumer.position(self._partition)) < end:
            fetched = await consumer.getmany(
                timeout_ms=RESTORE_WAIT_MS, max_records=RESTORE_RECORDS_MAX
            )
            if records := fetched.get(self._partition):
                store.apply(self._readable(records), offset=self._known(records[-1].offset + 1))
                answer.reschedule(asyncio.get_running_loop().time() + self._answer_s_max)
            await asyncio.sleep(0)
            if answer.expired():  # and the client has swallowed its cancellation
                raise TimeoutError
        for entry in self._unreadable.values():
            raise CorruptChangelog(f"{self._name} offset {entry.offset}: {entry.reason}; {_CURE}")
        if position > store.offset:
            store.apply({}, offset=position)

    def _readable(self, records: list[Record]) -> Changes:
        """Return the entries that can be read; one that cannot may still be replaced by a later."""
        changes: dict[bytes, bytes | None] = {}
        for record in records:
            if record.key is None:
                raise CorruptChangelog(f"{self._name} offset {record.offset}: no key; {_CURE}")
            try:
                if record.value is not None:
                    self._format.check(record.key, record.value)
            except ValueError as error:
                self._unreadable[record.key] = _Unreadable(record.offset, str(error))
            else:
                self._unreadable.pop(record.key, None)
                changes[record.key] = record.value
        return changes

    def _known(self, end: int) -> int:
        """Return up to where a local copy is good: it is read again from the first unreadable."""
        return min((entry.offset for entry in self._unreadable.values()), default=end)

    def _positions_in(self, store: StateStore) -> Positions:
        value = store.get(POSITIONS_KEY)
        if value is None:
            if next(iter(store.items()), None) is not None:
                raise CorruptChangelog(f"{self._name}: states without positions; {_CURE}")
            return {}
        try:
            return _positions.decode(value)
        except msgspec.DecodeError as error:
            raise CorruptChangelog(f"{self._name}: positions: {error}; {_CURE}") from error

    @property
    def _name(self) -> str:
        return f"{self._partition.topic}-{self._partition.partition}"


class _Unreadable(NamedTuple):
    offset: int
    reason: str


_CURE = (
    "somebody else wrote to the changelog: forbid that by its ACLs, write the lead's last good "
    "record again, or start under a new LEADVELOCITY_ENGINE__APP_ID to fold the topics anew"
)
