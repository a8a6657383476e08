"""The ledger in Kafka: outputs, changelog and positions in one transaction."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiokafka import TopicPartition

from agents.reducer import Effects
from agents.state import State
from streams.changelog import POSITIONS_KEY, Changelog, EngineFormat, positions_value
from streams.exits import ClockSkew
from streams.kafka_clients import KafkaClients
from streams.ledger import Positions
from streams.outgoing import by_partition, changelog_records
from streams.settings import EngineSettings
from streams.state_store import StateFormat, StateStore, StateStores
from streams.txn_writer import TxnWriter


def changelog_topic(app_id: str, task_name: str) -> str:
    """Return the name of the changelog of a kind of task."""
    return f"{app_id}-{task_name}-changelog"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaLedgers:
    """What the ledgers of a worker share.

    Parameters
    ----------
    changelog_ids : dict of str to str
        Kafka's own identity of each changelog, by topic.
    clock_ms : callable
        Wall clock, UTC epoch milliseconds.
    """

    clients: KafkaClients
    settings: EngineSettings
    stores: StateStores
    changelog_ids: dict[str, str]
    clock_ms: Callable[[], int]

    def ledger(self, task_name: str, partition: int, state_format: StateFormat) -> "KafkaLedger":
        """Return the ledger of a task."""
        return KafkaLedger(
            self, task_name=task_name, partition=partition, state_format=state_format
        )


class KafkaLedger:
    """Commits one task to Kafka, and keeps the local copy of its state in step.

    Parameters
    ----------
    shared : KafkaLedgers
    task_name : str
    partition : int
    state_format : StateFormat
    """

    def __init__(
        self, shared: KafkaLedgers, *, task_name: str, partition: int, state_format: StateFormat
    ) -> None:
        app_id = shared.settings.app_id
        topic = changelog_topic(app_id, task_name)
        self._shared = shared
        self._name = f"{task_name}-{partition}"
        self._partition = partition
        self._format = EngineFormat(state_format)
        self._changelog_partition = TopicPartition(topic, partition)
        self._changelog = Changelog(
            shared.clients,
            topic=topic,
            partition=partition,
            state_format=state_format,
            answer_s_max=shared.settings.commit_s_max,
        )
        self._writer = TxnWriter(
            shared.clients, transactional_id=f"{app_id}-{self._name}", group_id=app_id
        )
        self._store: StateStore | None = None

    @property
    def restored(self) -> int:
        """The changelog's offset up to which the local copy is."""
        return 0 if self._store is None else self._store.offset

    async def open(self) -> tuple[Positions, State]:
        """Fence first, so that nobody writes while we read; see `Ledger.open`."""
        async with asyncio.timeout(self._shared.settings.commit_s_max):
            await self._writer.start()
        changelog_id = self._shared.changelog_ids[self._changelog_partition.topic]
        store = self._shared.stores.open(self._name, self._format, changelog_id=changelog_id)
        self._store = store
        return await self._changelog.restore(store), store

    async def commit(self, effects: Effects, positions: Positions) -> None:
        """Commit one transaction, then the local copy; see `Ledger.commit`."""
        assert self._store is not None, "a ledger is opened before it is used"
        entries = {**effects.state, POSITIONS_KEY: positions_value(positions)}
        placed = by_partition(effects.outputs, own=self._partition)
        outputs = {TopicPartition(*place): records for place, records in placed.items()}
        changelog = self._changelog_partition
        outputs[changelog] = changelog_records(changelog.topic, entries)
        offsets = {
            TopicPartition(each, self._partition): offset for each, offset in positions.items()
        }
        written = (await self._writer.commit(outputs, offsets))[changelog]
        self._store.apply(entries, offset=written.next_offset)
        self._compare_clocks(written.appended_ms)

    async def close(self) -> None:
        """Close the producer and the local copy."""
        await self._writer.close()
        if self._store is not None:
            self._store.close()

    def _compare_clocks(self, broker_ms: int) -> None:
        """Timers go by the worker's clock, and appended times by the broker's.

        The answer was a moment on its way, which only makes our clock look ahead.
        """
        skew_ms = self._shared.clock_ms() - broker_ms
        bound_ms = self._shared.settings.clock_skew_ms_max
        if not -bound_ms <= skew_ms <= bound_ms + self._shared.settings.commit_s_max * 1_000:
            raise ClockSkew(
                f"this machine's clock is {skew_ms / 1_000:+.1f} s off the broker's, at most "
                f"{bound_ms / 1_000:.0f} s are borne: set it right (NTP) on whichever is wrong; "
                "leads would cool at wrong times"
            )
