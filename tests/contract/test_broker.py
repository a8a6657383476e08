"""What the engine takes for granted of Kafka: the real broker and the simulations' fake alike."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from agents.records import Output
from streams.kafka_clients import AiokafkaClients
from streams.settings import EngineSettings, KafkaConnection
from streams.task_assignor import Claims, TaskAssignor
from streams.txn_writer import TxnWriter
from tests.simulation.fake_broker import FakeBroker
from tests.simulation.fake_clients import FakeClients, Link

SMALL_BYTES_MAX = 2_000
SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A broker with three empty topics of one partition; `small` takes small records only."""

    clients: Any
    name: str
    delete_before: Callable[[TopicPartition, int], None]

    @property
    def plain(self) -> TopicPartition:
        return TopicPartition(f"{self.name}-plain", 0)

    @property
    def other(self) -> TopicPartition:
        return TopicPartition(f"{self.name}-other", 0)

    @property
    def small(self) -> TopicPartition:
        return TopicPartition(f"{self.name}-small", 0)

    def producer(self) -> Any:
        return self.clients.producer(f"{self.name}-task")

    def writer(self) -> TxnWriter:
        return TxnWriter(
            self.clients, transactional_id=f"{self.name}-task", group_id=f"{self.name}-group"
        )

    @asynccontextmanager
    async def reader(self, *partitions: TopicPartition) -> AsyncIterator[Any]:
        consumer = self.clients.reader()
        await consumer.start()
        consumer.assign(list(partitions))
        yield consumer
        await consumer.stop()

    @asynccontextmanager
    async def member(self, *partitions: TopicPartition) -> AsyncIterator[Any]:
        consumer = self.clients.member(TaskAssignor({}, Claims))
        await consumer.start()
        consumer.assign(list(partitions))
        yield consumer
        await consumer.stop()


@pytest.fixture(params=["fake", pytest.param("kafka", marks=pytest.mark.integration)])
def cluster(request: pytest.FixtureRequest, run_name: str) -> Iterator[Cluster]:
    """A broker of either kind."""
    settings = EngineSettings(app_id=f"{run_name}-group")
    if request.param == "fake":
        broker = FakeBroker(random.Random(run_name), lambda: time.time_ns() // 1_000_000)
        broker.record_bytes_max[f"{run_name}-small"] = SMALL_BYTES_MAX
        link = Link(broker=broker, chance=random.Random(run_name))
        yield Cluster(
            clients=FakeClients(link, settings.app_id),
            name=run_name,
            delete_before=lambda partition, offset: broker.logs[partition].delete_before(offset),
        )
        return
    connection = KafkaConnection(bootstrap_servers=request.getfixturevalue("stack").kafka)
    admin = AdminClient(connection.librdkafka())
    limits = {"plain": 1 << 20, "other": 1 << 20, "small": SMALL_BYTES_MAX}
    topics = [
        NewTopic(
            f"{run_name}-{each}",
            num_partitions=1,
            replication_factor=1,
            config={
                "message.timestamp.type": "LogAppendTime",
                "max.message.bytes": str(bytes_max),
            },
        )
        for each, bytes_max in limits.items()
    ]
    for made in admin.create_topics(topics).values():
        made.result(SECONDS_MAX)

    def delete_before(partition: TopicPartition, offset: int) -> None:
        for deleted in admin.delete_records(
            [Place(partition.topic, partition.partition, offset)]
        ).values():
            deleted.result(SECONDS_MAX)

    yield Cluster(
        clients=AiokafkaClients(connection, settings), name=run_name, delete_before=delete_before
    )
    admin.delete_topics([each.topic for each in topics])


def outputs(partition: TopicPartition, *values: bytes) -> dict[TopicPartition, list[Output]]:
    return {partition: [Output(topic=partition.topic, key=b"k", value=each) for each in values]}


async def send(cluster: Cluster, producer: Any, partition: TopicPartition, *values: bytes) -> Any:
    """Send a batch within the open transaction; return what its answer will be."""
    batch = cluster.clients.batch()
    for record in outputs(partition, *values)[partition]:
        assert batch.append(record)
    return await producer.send_batch(batch, partition.topic, partition=partition.partition)


async def seen(cluster: Cluster, partition: TopicPartition, count: int) -> list[tuple[int, bytes]]:
    """What a reader sees, offsets and values: as many as are expected, and what is there beside."""
    found: list[tuple[int, bytes]] = []
    async with cluster.reader(partition) as consumer:

        async def look() -> bool:
            batches = await consumer.getmany(timeout_ms=200)
            found.extend((each.offset, each.value) for each in batches.get(partition, ()))
            return len(found) >= count and not batches

        await eventually(look)
    return found


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds: markers arrive a while after a commit."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await holds():  # noqa: ASYNC110  # the broker tells nobody
            await asyncio.sleep(0.01)


async def test_a_transaction_is_seen_once_it_is_committed(cluster: Cluster) -> None:
    """Records of an open transaction are not seen, and hold the stable end back."""
    producer = cluster.producer()
    await producer.start()
    await producer.begin_transaction()
    metadata = await (await send(cluster, producer, cluster.plain, b"1", b"2"))

    async with cluster.reader(cluster.plain) as consumer:
        assert (await consumer.end_offsets([cluster.plain]))[cluster.plain] == 0
        assert consumer.last_stable_offset(cluster.plain) is None
        assert await consumer.getmany(timeout_ms=500) == {}
        assert await consumer.position(cluster.plain) == 0
    await producer.commit_transaction()

    assert metadata.offset == 0
    assert abs(metadata.timestamp - time.time() * 1_000) < 60_000
    assert await seen(cluster, cluster.plain, 2) == [(0, b"1"), (1, b"2")]
    await producer.stop()


async def test_a_marker_takes_an_offset_and_is_passed(cluster: Cluster) -> None:
    """After a commit the end is one more than the records, and a reader gets there."""
    writer = cluster.writer()
    await writer.start()
    written = await writer.commit(outputs(cluster.plain, b"1", b"2"), {})
    assert written[cluster.plain].next_offset == 2

    async with cluster.reader(cluster.plain) as consumer:

        async def at_the_end() -> bool:
            await consumer.getmany(timeout_ms=100)
            return bool(await consumer.position(cluster.plain) == 3)

        await eventually(at_the_end)
        assert consumer.last_stable_offset(cluster.plain) == 3
        assert (await consumer.end_offsets([cluster.plain]))[cluster.plain] == 3
    written = await writer.commit(outputs(cluster.plain, b"3"), {})

    assert written[cluster.plain].next_offset == 4
    assert await seen(cluster, cluster.plain, 3) == [(0, b"1"), (1, b"2"), (3, b"3")]
    await writer.close()


async def test_a_new_owner_fences_the_one_before(cluster: Cluster) -> None:
    """Starting a producer aborts what the one before left open, which can commit nothing more."""
    before, after = cluster.producer(), cluster.producer()
    await before.start()
    await before.begin_transaction()
    await (await send(cluster, before, cluster.plain, b"left open"))
    await after.start()

    with pytest.raises((KafkaError, AssertionError)):
        await before.commit_transaction()
    await after.begin_transaction()
    await (await send(cluster, after, cluster.plain, b"new"))
    await after.commit_transaction()

    # The record, the marker that aborts it, the new record and its marker.
    assert await seen(cluster, cluster.plain, 1) == [(2, b"new")]
    await before.stop()
    await after.stop()


async def test_an_idle_owner_is_fenced_too(cluster: Cluster) -> None:
    """Whoever was fenced between two transactions cannot write another."""
    before, after = cluster.writer(), cluster.writer()
    await before.start()
    await before.commit(outputs(cluster.plain, b"1"), {})
    await after.start()

    with pytest.raises((ProducerFenced, KafkaError)):
        await before.commit(outputs(cluster.plain, b"2"), {cluster.other: 5})

    await after.commit(outputs(cluster.plain, b"3"), {})
    assert [value for _, value in await seen(cluster, cluster.plain, 2)] == [b"1", b"3"]
    await before.close()
    await after.close()


async def test_the_client_commits_what_a_rejected_batch_leaves(cluster: Cluster) -> None:
    """The trap: a commit after a rejected batch succeeds, and the rest of it is seen."""
    producer = cluster.producer()
    await producer.start()
    await producer.begin_transaction()
    rest = await send(cluster, producer, cluster.plain, b"the rest")
    rejected = await send(cluster, producer, cluster.small, b"x" * (SMALL_BYTES_MAX + 1))
    await producer.commit_transaction()

    with pytest.raises(KafkaError):
        await rejected
    await rest
    assert await seen(cluster, cluster.plain, 1) == [(0, b"the rest")]
    await producer.stop()


async def test_the_writer_does_not_fall_into_the_trap(cluster: Cluster) -> None:
    """With one record rejected nothing of the transaction is ever seen, offsets neither."""
    writer, after = cluster.writer(), cluster.writer()
    await writer.start()
    with pytest.raises(KafkaError):
        await writer.commit(
            {
                **outputs(cluster.plain, b"the rest"),
                **outputs(cluster.small, b"x" * (SMALL_BYTES_MAX + 1)),
            },
            {cluster.other: 7},
        )
    await after.start()
    await after.commit(outputs(cluster.plain, b"good"), {})

    assert [value for _, value in await seen(cluster, cluster.plain, 1)] == [b"good"]
    async with cluster.member(cluster.other) as consumer:
        assert await consumer.committed(cluster.other) is None
    await writer.close()
    await after.close()


async def test_after_a_failure_no_other_transaction_is_begun(cluster: Cluster) -> None:
    """What failed may still be open, so a producer begins nothing after it."""
    producer = cluster.producer()
    await producer.start()
    await producer.begin_transaction()
    await (await send(cluster, producer, cluster.plain, b"open"))

    with pytest.raises(AssertionError, match="Invalid state transition"):
        await producer.begin_transaction()
    await producer.stop()


async def test_offsets_come_with_their_transaction(cluster: Cluster) -> None:
    """The group's offsets are those of the last committed transaction."""
    writer = cluster.writer()
    await writer.start()
    async with cluster.member(cluster.other) as consumer:
        assert await consumer.committed(cluster.other) is None
    await writer.commit(outputs(cluster.plain, b"1"), {cluster.other: 7})

    async def committed() -> bool:
        async with cluster.member(cluster.other) as consumer:
            return bool(await consumer.committed(cluster.other) == 7)

    await eventually(committed)
    await writer.close()


async def test_a_reader_goes_where_it_is_told(cluster: Cluster) -> None:
    """A reader goes on from where it seeks, a bounded number at a time, and knows its place."""
    writer = cluster.writer()
    await writer.start()
    await writer.commit(outputs(cluster.plain, *(b"%d" % each for each in range(9))), {})
    await seen(cluster, cluster.plain, 9)
    async with cluster.reader(cluster.plain) as consumer:
        for start in (4, 2):
            consumer.seek(cluster.plain, start)
            found: list[int] = []

            async def look(found: list[int] = found) -> bool:
                batches = await consumer.getmany(cluster.plain, timeout_ms=100, max_records=2)
                records = batches.get(cluster.plain, ())
                assert len(records) <= 2
                found.extend(each.offset for each in records)
                if records:
                    assert await consumer.position(cluster.plain) >= found[-1] + 1
                return len(found) >= 3

            await eventually(look)
            assert found[:3] == [start, start + 1, start + 2]
    await writer.close()


async def test_nothing_is_there_before_the_beginning(cluster: Cluster) -> None:
    """After records were deleted the beginning is the first that is left."""
    writer = cluster.writer()
    await writer.start()
    await writer.commit(outputs(cluster.plain, b"1", b"2", b"3"), {})
    await seen(cluster, cluster.plain, 3)
    cluster.delete_before(cluster.plain, 2)

    async with cluster.reader(cluster.plain) as consumer:
        assert (await consumer.beginning_offsets([cluster.plain]))[cluster.plain] == 2
    assert await seen(cluster, cluster.plain, 1) == [(2, b"3")]
    await writer.close()


async def test_an_empty_partition_begins_and_ends_at_nought(cluster: Cluster) -> None:
    """A partition without records is at its end after one look."""
    async with cluster.reader(cluster.plain) as consumer:
        assert await consumer.beginning_offsets([cluster.plain]) == {cluster.plain: 0}
        assert await consumer.end_offsets([cluster.plain]) == {cluster.plain: 0}

        async def looked() -> bool:
            assert await consumer.getmany(timeout_ms=100) == {}
            return consumer.last_stable_offset(cluster.plain) == 0

        await eventually(looked)
        assert await consumer.position(cluster.plain) == 0
