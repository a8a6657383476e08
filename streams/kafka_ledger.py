"""The ledger in Kafka: outputs, changelog and positions in one transaction."""

from collections import defaultdict
from collections.abc import Mapping

from aiokafka import TopicPartition

from agents.records import Output
from agents.reducer import Effects
from streams.changelog import Changelog, positions_entry
from streams.ledger import Positions
from streams.settings import EngineSettings, KafkaConnection
from streams.txn_writer import TxnWriter


def changelog_topic(app_id: str, task_name: str) -> str:
    """Return the name of the changelog of a kind of task."""
    return f"{app_id}-{task_name}-changelog"


class KafkaLedger:
    """Commits one task to Kafka.

    Parameters
    ----------
    task_name : str
    partition : int
    """

    def __init__(
        self,
        connection: KafkaConnection,
        settings: EngineSettings,
        *,
        task_name: str,
        partition: int,
    ) -> None:
        topic = changelog_topic(settings.app_id, task_name)
        self._partition = partition
        self._changelog_partition = TopicPartition(topic, partition)
        self._changelog = Changelog(connection, topic=topic, partition=partition)
        self._writer = TxnWriter(
            connection,
            transactional_id=f"{settings.app_id}-{task_name}-{partition}",
            group_id=settings.app_id,
            transaction_timeout_ms=settings.transaction_timeout_ms,
        )

    async def open(self) -> tuple[Positions, Mapping[bytes, bytes]]:
        """Fence first, so that nobody writes while we read; see `Ledger.open`."""
        await self._writer.start()
        return await self._changelog.restore()

    async def commit(self, effects: Effects, positions: Positions) -> None:
        """Commit one transaction; see `Ledger.commit`."""
        outputs: defaultdict[TopicPartition, list[Output]] = defaultdict(list)
        for output in effects.outputs:
            partition = self._partition if output.partition is None else output.partition
            outputs[TopicPartition(output.topic, partition)].append(output)
        entries = [*effects.state.items(), positions_entry(positions)]
        outputs[self._changelog_partition] = [
            Output(topic=self._changelog_partition.topic, key=key, value=value)
            for key, value in entries
        ]
        offsets = {
            TopicPartition(topic, self._partition): offset for topic, offset in positions.items()
        }
        await self._writer.commit(outputs, offsets)

    async def close(self) -> None:
        """Close the producer."""
        await self._writer.close()
