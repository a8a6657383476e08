"""A Kafka consumer that hands out the engine's own records."""

import asyncio
from collections import OrderedDict
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult

from streams.exits import is_cancelled
from streams.fetched_records import FetchedRecords


class RecordConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """An `AIOKafkaConsumer` of committed records whose `getmany` gives `Record` objects.

    Subscribe or assign only after the start: what is fetched before has aiokafka's records.
    """

    async def start(self) -> None:
        """Connect, and see to it that what is fetched is unpacked by us."""
        await super().start()
        self._fetcher._records = _Fetched()  # noqa: SLF001  # aiokafka has no place to say it

    async def stop(self) -> None:
        """Disconnect.

        A fetch that has just failed is cancelled while it waits to be tried again, and aiokafka
        lets that cancellation out, to us, whom nobody has cancelled.
        """
        try:
            await super().stop()
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            for fetch in self._fetcher._pending_tasks:  # noqa: SLF001
                fetch.cancel()
            await self._client.close()


class _Fetched(OrderedDict[TopicPartition, Any]):
    """What a fetcher keeps for the consumer: a result for each partition, or an error."""

    def __setitem__(self, partition: TopicPartition, result: Any) -> None:
        if isinstance(result, FetchResult):
            theirs = result._partition_records  # noqa: SLF001
            result._partition_records = FetchedRecords(  # noqa: SLF001
                partition,
                theirs._records,  # noqa: SLF001
                theirs._aborted_transactions,  # noqa: SLF001
                theirs.next_fetch_offset,
            )
            # It refers to itself; what was fetched would stay until cycles are looked for.
            theirs._records_iterator = None  # noqa: SLF001
        super().__setitem__(partition, result)
