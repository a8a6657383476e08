"""What a source knows of its inputs."""

import random
from collections.abc import Sequence

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


def _source(world, broker, *, visits: int, opens: int, read: Sequence[Arrival] = ()) -> Source:
    """Return a source of inputs with so many records; `read` takes what it reads."""
    for partition, records in ((VISITS, visits), (OPENS, opens)):
        broker.logs[partition].append([(b"k", b"v", ())] * records, 1)
    consumer = FakeClients(Link(broker=broker, chance=world.chance), "group").member(None)
    consumer.assign([VISITS, OPENS])

    apart = {VISITS.topic: 1, OPENS.topic: 10}  # ms from one to the next

    async def note(records):
        arrivals = [Arrival(each.offset * apart[each.topic], each, None) for each in records]
        if isinstance(read, list):
            read.extend(arrivals)
        return arrivals

    return Source(consumer, [VISITS, OPENS], note, holes=frozenset(), batch_records_max=5)


def test_the_backlog_is_what_is_still_to_be_handed_out(world) -> None:
    """Records that were fetched and wait for others count, as do those not fetched yet."""
    source = _source(world, FakeBroker(None, world.clock_ms), visits=30, opens=4)
    process = world.process()
    world.complete(process, source.seek({}))
    left, backlogs = 34, []
    while left:
        left -= len(world.complete(process, source.poll(100)))
        backlogs.append((left, source.backlog))
    assert backlogs[-1] == (0, 0)
    assert all(left == backlog for left, backlog in backlogs[1:])
    assert source.drained


def _taken(world, source: Source, process, count: int) -> list[Arrival]:
    found: list[Arrival] = []
    while len(found) < count:
        found += world.complete(process, source.poll(100))
    return found


@pytest.mark.parametrize("batch_records_max", [1, 2, 5])
def test_any_batch_gets_through(world, batch_records_max) -> None:
    """However small a batch may be, each input hands out its records in their order."""
    source = _source(world, FakeBroker(None, world.clock_ms), visits=30, opens=4)
    source.batch_records_max = batch_records_max
    process = world.process()
    world.complete(process, source.seek({}))

    found = [each.record for each in _taken(world, source, process, 34)]

    assert [each.offset for each in found if each.topic == VISITS.topic] == [*range(30)]
    assert [each.offset for each in found if each.topic == OPENS.topic] == [*range(4)]


def test_inputs_wait_with_a_batch_between_them(world) -> None:
    """What is read ahead of a batch is bounded by the batch, not by it times the inputs."""
    read: list[Arrival] = []
    source = _source(world, FakeBroker(None, world.clock_ms), visits=300, opens=300, read=read)
    source.batch_records_max = 20
    process = world.process()
    world.complete(process, source.seek({}))
    taken, ahead = 0, []
    while taken < 500:
        taken += len(world.complete(process, source.poll(100)))
        ahead.append(len(read) - taken)

    assert max(ahead) <= 20
