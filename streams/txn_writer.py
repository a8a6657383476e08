"""Writes one transaction of a task to Kafka."""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from agents.records import Output
from streams.settings import KafkaConnection

BATCH_BYTES_MAX = 1 << 20
REQUEST_BYTES_MAX = 8 << 20
RETRY_BACKOFF_MS = 20
"""Right after a commit the broker says CONCURRENT_TRANSACTIONS; the default waits 100 ms."""


class TxnWriter:
    """The transactional producer of one task; starting it fences the owner before.

    Parameters
    ----------
    transactional_id : str
        Belongs to the task, whoever owns it.
    group_id : str
        The consumer group whose offsets are set along, for lag monitoring only.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        transactional_id: str,
        group_id: str,
        transaction_timeout_ms: int,
    ) -> None:
        self._group_id = group_id
        self._producer = AIOKafkaProducer(
            **connection.aiokafka(),
            transactional_id=transactional_id,
            transaction_timeout_ms=transaction_timeout_ms,
            linger_ms=0,
            max_batch_size=BATCH_BYTES_MAX,
            max_request_size=REQUEST_BYTES_MAX,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            acks="all",
        )

    async def start(self) -> None:
        """Fence the owner before, and settle its last transaction."""
        await self._producer.start()

    async def commit(
        self,
        outputs: Mapping[TopicPartition, Sequence[Output]],
        offsets: Mapping[TopicPartition, int],
    ) -> None:
        """Write `outputs` and `offsets` in one transaction.

        Raises
        ------
        aiokafka.errors.KafkaError
            Fenced, rejected or unreachable; nothing of it is visible then.
        """
        producer = self._producer
        await producer.begin_transaction()
        sent = [
            await producer.send_batch(batch, partition.topic, partition=partition.partition)
            for partition, records in outputs.items()
            for batch in self._batches(records)
        ]
        if offsets:
            sent.append(producer.send_offsets_to_transaction(dict(offsets), self._group_id))
        # commit_transaction would commit the rest of a transaction of which a batch was rejected.
        await asyncio.gather(*sent)
        await producer.commit_transaction()

    async def close(self) -> None:
        """Close the producer."""
        await self._producer.stop()

    def _batches(self, records: Sequence[Output]) -> list[BatchBuilder]:
        batches = []
        batch = self._producer.create_batch()
        for record in records:
            if not _append(batch, record):
                batches.append(batch)
                batch = self._producer.create_batch()
                appended = _append(batch, record)
                assert appended, "an empty batch takes any record; the broker judges its size"
        batches.append(batch)
        for each in batches:
            each.close()
        return batches


def _append(batch: BatchBuilder, record: Output) -> bool:
    # No timestamp: it is the time of processing, never event time, or retention would eat it.
    metadata = batch.append(
        key=record.key, value=record.value, timestamp=None, headers=list(record.headers)
    )
    return metadata is not None
