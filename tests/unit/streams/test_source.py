"""What a source knows of its inputs."""

import random

import pytest
from aiokafka import TopicPartition

from agents.reducer import Arrival
from streams.source import Source
from tests.simulation.fake_broker import FakeBroker
from tests.simulation.fake_clients import FakeClients, Link
from tests.simulation.virtual_time import World

VISITS, OPENS = TopicPartition("visits", 0), TopicPartition("opens", 0)


@pytest.fixture
def world():
    made = World(random.Random(0))
    yield made
    made.close()


def test_the_backlog_is_what_is_still_to_be_handed_out(world) -> None:
    """Records that were fetched and wait for others count, as do those not fetched yet."""
    broker = FakeBroker(None, world.clock_ms)
    for partition, records in ((VISITS, 30), (OPENS, 4)):
        broker.logs[partition].append([(b"k", b"v", ())] * records, 1)
    process = world.process()
    consumer = FakeClients(Link(broker=broker, chance=world.chance), "group").member(None)
    consumer.assign([VISITS, OPENS])

    async def read(records):
        return [Arrival(each.offset, each, None) for each in records]

    source = Source(consumer, [VISITS, OPENS], read, holes=frozenset(), batch_records_max=5)
    world.complete(process, source.seek({}))
    left, backlogs = 34, []
    while left:
        left -= len(world.complete(process, source.poll(100)))
        backlogs.append((left, source.backlog))
    assert backlogs[-1] == (0, 0)
    assert all(left == backlog for left, backlog in backlogs[1:])
    assert source.drained
