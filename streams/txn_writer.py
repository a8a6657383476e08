"""Writes one transaction of a task to Kafka."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.structs import RecordMetadata

from agents.records import Output
from streams.kafka_clients import KafkaClients
from streams.record_batch import batches_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where the records of a partition went.

    Parameters
    ----------
    next_offset : int
        One more than the offset of the last.
    appended_ms : int
        When the broker appended the last, by its own clock; only where the topic keeps that.
    """

    next_offset: int
    appended_ms: int


class TxnWriter:
    """The transactional producer of one task; starting it fences the owner before.

    Parameters
    ----------
    clients : KafkaClients
    transactional_id : str
        Belongs to the task, whoever owns it.
    group_id : str
        The consumer group whose offsets are set along: for lag monitoring, and as a second
        witness of the positions.
    """

    def __init__(self, clients: KafkaClients, *, transactional_id: str, group_id: str) -> None:
        self._group_id = group_id
        self._new_batch = clients.batch
        self._producer = clients.producer(transactional_id)

    async def start(self) -> None:
        """Fence the owner before, and settle its last transaction."""
        await self._producer.start()

    async def commit(
        self,
        outputs: Mapping[TopicPartition, list[Output]],
        offsets: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, Written]:
        """Write `outputs` and `offsets` in one transaction.

        Raises
        ------
        aiokafka.errors.KafkaError
            Fenced, rejected or unreachable; nothing of it is visible then, or all of it where
            only the answer to the commit was lost.
        """
        producer = self._producer
        await producer.begin_transaction()
        sent = [
            (
                partition,
                await producer.send_batch(batch, partition.topic, partition=partition.partition),
                batch,
            )
            for partition, records in outputs.items()
            for batch in batches_of(records, self._new_batch)
        ]
        waiting = [future for _, future, _ in sent]
        if offsets:
            waiting.append(producer.send_offsets_to_transaction(dict(offsets), self._group_id))
        # commit_transaction would commit the rest of a transaction of which a batch was rejected.
        await asyncio.gather(*waiting)
        await producer.commit_transaction()
        return {
            partition: _written(future.result(), batch.record_count())
            for partition, future, batch in sent
        }

    async def close(self) -> None:
        """Close the producer."""
        await self._producer.stop()


def _written(first: RecordMetadata, records: int) -> Written:
    return Written(next_offset=first.offset + records, appended_ms=first.timestamp)
