"""Kafka's clients as the engine uses them; simulations put a fake broker's in their place."""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor

from streams.record_batch import RecordBatch
from streams.record_consumer import RecordConsumer
from streams.settings import EngineSettings, KafkaConnection

BATCH_BYTES_MAX = 1 << 20
REQUEST_BYTES_MAX = 8 << 20
RETRY_BACKOFF_MS = 20
"""Right after a commit the broker says CONCURRENT_TRANSACTIONS; the default waits 100 ms."""

HEARTBEAT_INTERVAL_MS_MAX = 1_000
MAX_POLL_INTERVAL_MS = 24 * 3_600_000
"""A task that waits for its ledger does not poll; its own bounds watch it, not the group's."""

RESTORE_FETCH_BYTES_MAX = 8 << 20


class KafkaClients(Protocol):
    """Makes clients; none is connected before it is started.

    Their consumers hand out `Record` objects, see `RecordConsumer`.
    """

    def producer(self, transactional_id: str) -> AIOKafkaProducer:
        """Return a transactional producer."""
        ...

    def batch(self) -> RecordBatch:
        """Return an empty batch for a producer."""
        ...

    def reader(self) -> AIOKafkaConsumer:
        """Return a consumer of committed records without a group."""
        ...

    def member(self, assignor: AbstractPartitionAssignor) -> AIOKafkaConsumer:
        """Return a consumer of committed records that is a member of the app's group."""
        ...


class AiokafkaClients:
    """Clients of a real Kafka.

    Parameters
    ----------
    connection : KafkaConnection
    settings : EngineSettings
    """

    def __init__(self, connection: KafkaConnection, settings: EngineSettings) -> None:
        self._connection = connection
        self._settings = settings

    def producer(self, transactional_id: str) -> AIOKafkaProducer:
        """Return a transactional producer."""
        return AIOKafkaProducer(
            **self._connection.aiokafka(),
            transactional_id=transactional_id,
            transaction_timeout_ms=self._settings.transaction_timeout_ms,
            linger_ms=0,
            max_batch_size=BATCH_BYTES_MAX,
            max_request_size=REQUEST_BYTES_MAX,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            acks="all",
        )

    def batch(self) -> RecordBatch:
        """Return an empty batch for a producer."""
        return RecordBatch(bytes_max=BATCH_BYTES_MAX, timestamp_ms=time.time_ns() // 1_000_000)

    def reader(self) -> RecordConsumer:
        """Return a consumer of committed records without a group."""
        return RecordConsumer(
            **self._connection.aiokafka(),
            **_committed_records(),
            group_id=None,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=RESTORE_FETCH_BYTES_MAX,
        )

    def member(self, assignor: AbstractPartitionAssignor) -> RecordConsumer:
        """Return a consumer of committed records that is a member of the app's group."""
        settings = self._settings
        strategies: Sequence[AbstractPartitionAssignor] = [assignor]
        return RecordConsumer(
            **self._connection.aiokafka(),
            **_committed_records(),
            group_id=settings.app_id,
            partition_assignment_strategy=strategies,
            session_timeout_ms=settings.session_timeout_ms,
            rebalance_timeout_ms=int(settings.stop_s_max * 1_000) + settings.session_timeout_ms,
            heartbeat_interval_ms=min(HEARTBEAT_INTERVAL_MS_MAX, settings.session_timeout_ms // 3),
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            fetch_max_wait_ms=settings.fetch_wait_ms_max,
            max_partition_fetch_bytes=settings.fetch_bytes_max,
            retry_backoff_ms=50,
        )


def _committed_records() -> dict[str, Any]:
    return {
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
    }
