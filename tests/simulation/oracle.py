"""What must hold in the end, as a subscriber, and the next owner, would see it."""

from collections.abc import Sequence

import msgspec
from aiokafka import TopicPartition

from streams.changelog import ATTEMPT_KEY, POSITIONS_KEY, Changelog, EngineFormat
from streams.memory_store import MemoryStore
from streams.state_store import StateFormat
from tests.simulation.fake_broker import Entry, FakeBroker
from tests.simulation.fake_clients import FakeClients, Link
from tests.simulation.tracer import LETTERS, OUTPUT, TraceFormat, folded, place
from tests.simulation.virtual_time import World
from tests.simulation.worker import CHANGELOG, SETTINGS


class Broken(AssertionError):
    """A promise does not hold."""


def visible(broker: FakeBroker, topic: str) -> list[Entry]:
    """What a subscriber who reads committed records sees."""
    log = broker.logs[TopicPartition(topic, 0)]
    return log.read(0, upto=log.stable_end, records_max=1 << 30)[0]


def merged(broker: FakeBroker, inputs: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """The inputs as a task sees them that finds all of them waiting: lead and place of each."""
    queues = [visible(broker, topic) for topic in inputs]
    order = []
    while heads := [(queue[0].timestamp_ms, at) for at, queue in enumerate(queues) if queue]:
        at = min(heads)[1]
        entry = queues[at].pop(0)
        order.append((entry.key or b"", place(inputs[at], entry.offset)))
    return order


def restored(world: World, broker: FakeBroker, state_format: StateFormat) -> dict[bytes, bytes]:
    """What a new owner restores from the changelog."""
    process = world.process()
    link = Link(broker=broker, chance=world.chance, alive=lambda: process.alive)
    clients = FakeClients(link, SETTINGS.app_id)
    changelog = Changelog(
        clients, topic=CHANGELOG.topic, partition=0, state_format=state_format, answer_s_max=60.0
    )
    store = MemoryStore(EngineFormat(state_format))
    world.complete(process, changelog.restore(store))
    world.close()
    return dict(store.items())


def check_positions(broker: FakeBroker, entries: dict[bytes, bytes], inputs: Sequence[str]) -> None:
    """The positions are the ends of the inputs, and the group's offsets not beyond them."""
    positions = msgspec.json.decode(entries[POSITIONS_KEY])
    for topic in inputs:
        log = broker.logs[TopicPartition(topic, 0)]
        last = visible(broker, topic)[-1].offset
        if not last < positions[topic] <= log.end:
            raise Broken(f"{topic} ends at {log.end}, the position is {positions[topic]}")
        offset = broker.group_offsets.get((SETTINGS.app_id, TopicPartition(topic, 0)), 0)
        if offset > positions[topic]:
            raise Broken(f"{topic}: the group's offset {offset} is beyond {positions[topic]}")


def check_traces(
    world: World, broker: FakeBroker, inputs: Sequence[str], *, whole_order: bool
) -> None:
    """Each record is seen once, in merged order, with the state of a pure fold."""
    wanted = merged(broker, inputs)
    lead_of = {where: lead for lead, where in wanted}
    letters = {each.key for each in visible(broker, LETTERS)}
    seen = visible(broker, OUTPUT)
    places = [each.key or b"" for each in seen]
    expected = [where for _, where in wanted if where not in letters]
    if sorted(places) != sorted(expected):
        lost = [each for each in expected if each not in places]
        more = sorted(
            {each for each in places if places.count(each) > 1} | set(places) - set(expected)
        )
        raise Broken(f"lost {lost}, doubled or strange {more}")
    if whole_order and places != expected:
        raise Broken(f"not in merged order: {places}")
    for topic in inputs:
        mine = [each for each in places if each.startswith(topic.encode() + b":")]
        if mine != [each for each in expected if each in set(mine)]:
            raise Broken(f"{topic} not in its order: {mine}")
    after, states = folded((lead_of[each], each) for each in places)
    if after != [each.value for each in seen]:
        raise Broken("outputs are not those of a pure fold")
    entries = restored(world, broker, TraceFormat())
    check_positions(broker, entries, inputs)
    if {key: each for key, each in entries.items() if key not in _OURS} != states:
        raise Broken("states are not those of a pure fold")


_OURS = (POSITIONS_KEY, ATTEMPT_KEY)
