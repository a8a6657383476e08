"""A sink whose connection to ClickHouse is cut, held back or swallowed at any byte."""

import asyncio
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest

from schemas.topics import TIER_CHANGES
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse
from sinks.migrate import migrate
from streams import sink_ledger
from streams.sink_ledger import SinkLedger
from tests.faults.front import Front, front_in
from tests.faults.rows_of_changes import Exact, block, collected
from tests.faults.wire import Direction, Fault, Wire, places_to_cut, wire_to

pytestmark = pytest.mark.integration

ROWS = 40
CUTS_BETWEEN = 120
RANDOM_FAULTS = 60
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
SILENCE_S = 0.5
HANG_S_MAX = 60.0


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A front of this module's own."""
    with front_in(tmp_path_factory.mktemp("front")) as running:
        migrate(running.clickhouse)
        yield running


@pytest.fixture
def wire(front: Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A wire to it, over empty tables, and a ledger that tries again soon."""
    print(f"SEED={SEED}")  # noqa: T201  # so that a run can be repeated
    monkeypatch.setattr(sink_ledger, "RETRY_S_FIRST", 0.002)
    for table in ("tier_changes", "rejected_rows"):
        front.ask(f"TRUNCATE TABLE {table}")
    with wire_to(front.clickhouse.port) as wire:
        yield wire


def through(wire: Wire, front: Front, *, silence_s: float = 30.0) -> ClickHouse:
    return replace(
        front.clickhouse,
        port=wire.port,
        connect_timeout_s=silence_s,
        transfer_timeout_s=silence_s,
    )


async def write_once(clickhouse: ClickHouse, at: int, *, partition: int = 0) -> None:
    """Open a ledger on a new connection and commit the next rows, as a sink that starts does."""
    sink = ClickHouseSink(clickhouse)
    ledger = SinkLedger(sink, topic=TIER_CHANGES, partition=partition)
    async with asyncio.timeout(HANG_S_MAX):
        positions, _ = await ledger.open()
        assert positions.get(TIER_CHANGES, 0) == at
        await ledger.commit(collected(block(range(at, at + ROWS), partition=partition)), {})
    sink.close()


@pytest.mark.parametrize("kind", ["reset", "close"])
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_connection_cut_at_any_byte_loses_and_doubles_nothing(
    front: Front, wire: Wire, direction: Direction, kind: Literal["reset", "close"], exact: Exact
) -> None:
    """Wherever a connection breaks, from the greeting to the end of the answer, rows are exact."""
    await write_once(through(wire, front), 0)
    marks = list(wire.marks[direction])
    written = 1
    chance = random.Random(SEED)
    for after_bytes in places_to_cut(marks, count=CUTS_BETWEEN, chance=chance):
        wire.faults.append(Fault(direction=direction, after_bytes=after_bytes, kind=kind))
        await write_once(through(wire, front), written * ROWS)
        written += 1
    assert written > len(marks)
    exact(f"connection cut, {direction}, {kind}", front.ask, written * ROWS, times=written - 1)


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_silent_wire_is_given_up_in_time(
    front: Front, wire: Wire, direction: Direction, exact: Exact
) -> None:
    """Where bytes are swallowed and nobody says so, the sink tries again after its time-out."""
    clickhouse = through(wire, front, silence_s=SILENCE_S)
    await write_once(clickhouse, 0)
    end = max(wire.marks[direction])
    written = 1
    for after_bytes in sorted(random.Random(SEED).sample(range(end), 12)):
        wire.faults.append(Fault(direction=direction, after_bytes=after_bytes, kind="hole"))
        await write_once(clickhouse, written * ROWS)
        written += 1
    exact(f"bytes swallowed, {direction}", front.ask, written * ROWS, times=written - 1)


async def test_a_slow_wire_is_only_slow(front: Front, wire: Wire, exact: Exact) -> None:
    """Answers that take their time change nothing."""
    wire.answer_delay_s = 0.2  # every one but the greeting
    for n in range(3):
        await write_once(through(wire, front), n * ROWS)
    exact("slow answers of ClickHouse", front.ask, 3 * ROWS, times=3)


async def test_a_refused_connection_is_tried_again(front: Front, wire: Wire, exact: Exact) -> None:
    """While nobody listens the sink waits, and goes on by itself afterwards."""
    wire.is_refusing = True
    writing = asyncio.create_task(write_once(through(wire, front), 0))
    await asyncio.sleep(0.3)
    assert not writing.done()
    wire.is_refusing = False
    await writing
    exact("connection refused", front.ask, ROWS, times=1)


async def test_many_partitions_under_random_faults(front: Front, wire: Wire, exact: Exact) -> None:
    """Partitions that share a sink stay exact while its connections break at random."""
    chance = random.Random(SEED)
    kinds: tuple[Any, ...] = ("reset", "close", "hole")
    partitions, rounds = 4, 25
    wire.faults.extend(
        Fault(
            direction=chance.choice(("up", "down")),
            after_bytes=chance.randrange(40_000),
            kind=chance.choice(kinds),
        )
        for _ in range(RANDOM_FAULTS)
    )
    sink = ClickHouseSink(through(wire, front, silence_s=SILENCE_S))

    async def fill(partition: int) -> None:
        ledger = SinkLedger(sink, topic=TIER_CHANGES, partition=partition)
        await ledger.open()
        for n in range(rounds):
            rows = range(n * ROWS, (n + 1) * ROWS)
            await ledger.commit(collected(block(rows, partition=partition)), {})

    async with asyncio.timeout(240):
        await asyncio.gather(*map(fill, range(partitions)))
    exact(
        "random faults of a shared connection",
        front.ask,
        rounds * ROWS,
        times=RANDOM_FAULTS,
        partitions=partitions,
    )
    assert sink.positions(TIER_CHANGES) == dict.fromkeys(range(partitions), rounds * ROWS)
    sink.close()


async def test_a_cut_wire_leaves_nothing_behind_at_the_front(
    front: Front, wire: Wire, exact: Exact
) -> None:
    """A front keeps no half insert on its disk when the client goes in the middle of it."""
    await write_once(through(wire, front), 0)
    end = max(wire.marks["up"])
    for n in range(1, 6):
        wire.faults.append(Fault(direction="up", after_bytes=end - 200 * n))
        await write_once(through(wire, front), n * ROWS)
    incoming = front.folder / "clickhouse" / "incoming"
    for _ in range(100):
        if not list(incoming.iterdir()):
            break
        await asyncio.sleep(0.1)
    assert list(incoming.iterdir()) == []
    exact("connection cut amid an insert", front.ask, 6 * ROWS, times=5)
