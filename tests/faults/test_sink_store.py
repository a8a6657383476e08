"""A sink while ClickHouse refuses, dies amid an insert, forgets tokens, or is shared."""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from schemas.topics import TIER_CHANGES
from sinks.clickhouse import ClickHouseSink
from sinks.migrate import migrate
from streams import sink_ledger
from streams.sink_ledger import SinkLedger
from tests.faults.front import Front, front_in
from tests.faults.rows_of_changes import Exact, block, books, collected

pytestmark = pytest.mark.integration

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
HANG_S_MAX = 90.0
BLOCK_ROWS = 500
KILLS = 5


@pytest.fixture(scope="module")
def module_front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A front of this module's own."""
    with front_in(tmp_path_factory.mktemp("front")) as running:
        yield running


@pytest.fixture
def front(module_front: Front, run_name: str, monkeypatch: pytest.MonkeyPatch) -> Front:
    """The front with new tables, and a ledger that tries again soon."""
    print(f"SEED={SEED}")  # noqa: T201  # so that a run can be repeated
    monkeypatch.setattr(sink_ledger, "RETRY_S_FIRST", 0.01)
    monkeypatch.setattr(sink_ledger, "RETRY_S_MAX", 0.5)
    module_front.database = run_name
    migrate(module_front.clickhouse)
    return module_front


@pytest.fixture
def sink(front: Front) -> Iterator[ClickHouseSink]:
    """A sink into it."""
    clickhouse = ClickHouseSink(front.clickhouse)
    yield clickhouse
    clickhouse.close()


def ledger_of(sink: ClickHouseSink) -> SinkLedger:
    return SinkLedger(sink, topic=TIER_CHANGES, partition=0)


async def fill(
    sink: ClickHouseSink, *, until: int, chance: random.Random, rows_max: int = BLOCK_ROWS
) -> None:
    """Go on from what ClickHouse holds, in blocks of any length, as a sink does that starts."""
    ledger = ledger_of(sink)
    positions, _ = await ledger.open()
    at = positions.get(TIER_CHANGES, 0)
    while at < until:
        end = min(until, at + chance.randint(1, rows_max))
        await ledger.commit(collected(block(range(at, end))), {})
        at = end


async def test_too_many_parts_is_waited_for(
    front: Front, sink: ClickHouseSink, exact: Exact
) -> None:
    """A table that takes no more parts for now delays rows, and loses none."""
    front.ask("SYSTEM STOP MERGES tier_changes")
    front.ask("ALTER TABLE tier_changes MODIFY SETTING parts_to_throw_insert = 3")
    filling = asyncio.create_task(fill(sink, until=20, chance=random.Random(1), rows_max=1))
    await asyncio.sleep(1.0)
    assert not filling.done()
    assert books(front.ask)["last"] < 19
    front.ask("ALTER TABLE tier_changes MODIFY SETTING parts_to_throw_insert = 3000")
    front.ask("SYSTEM START MERGES tier_changes")
    async with asyncio.timeout(HANG_S_MAX):
        await filling
    exact("too many parts", front.ask, 20, times=1)


async def test_a_read_only_table_is_waited_for(
    front: Front, sink: ClickHouseSink, exact: Exact
) -> None:
    """A table that takes no rows for now delays them, and loses none."""
    front.ask("ALTER TABLE tier_changes MODIFY SETTING table_readonly = 1")
    filling = asyncio.create_task(fill(sink, until=100, chance=random.Random(SEED)))
    await asyncio.sleep(0.5)
    assert not filling.done()
    front.ask("ALTER TABLE tier_changes MODIFY SETTING table_readonly = 0")
    async with asyncio.timeout(HANG_S_MAX):
        await filling
    exact("table read-only", front.ask, 100, times=1)


async def test_a_missing_table_is_waited_for(
    front: Front, sink: ClickHouseSink, exact: Exact
) -> None:
    """A sink whose table comes back after a while goes on by itself."""
    front.ask("RENAME TABLE tier_changes TO moved")
    filling = asyncio.create_task(fill(sink, until=100, chance=random.Random(SEED)))
    await asyncio.sleep(0.3)
    assert not filling.done()
    front.ask("RENAME TABLE moved TO tier_changes")
    async with asyncio.timeout(HANG_S_MAX):
        await filling
    exact("table missing", front.ask, 100, times=1)


async def test_a_wrong_password_is_waited_for(front: Front, exact: Exact) -> None:
    """Credentials that are refused delay rows until somebody puts them right."""
    other = ClickHouseSink(replace(front.clickhouse, password="tomorrow"))
    filling = asyncio.create_task(fill(other, until=100, chance=random.Random(SEED)))
    await asyncio.sleep(0.3)
    assert not filling.done()
    front.kill()
    front.start(password="tomorrow")
    async with asyncio.timeout(HANG_S_MAX):
        await filling
    other.close()
    front.kill()
    front.start()
    exact("wrong password", front.ask, 100, times=1)


async def test_a_refused_value_is_set_aside_alone(front: Front, sink: ClickHouseSink) -> None:
    """Of a block with values that a constraint refuses, those rows alone are kept aside."""
    front.ask("ALTER TABLE tier_changes ADD CONSTRAINT no_sixes CHECK seq % 100 != 66")
    async with asyncio.timeout(HANG_S_MAX):
        await fill(sink, until=1_000, chance=random.Random(SEED))
        await fill(sink, until=1_000, chance=random.Random(SEED))
    assert front.ask("SELECT count(), countIf(seq % 100 = 66) FROM tier_changes FINAL") == (
        (990, 0),
    )
    kept = front.ask(
        "SELECT source_topic, source_partition, source_offset,"
        " JSONExtractInt(record, 'seq'), position(reason, 'no_sixes') > 0"
        " FROM rejected_rows FINAL ORDER BY source_offset"
    )
    assert kept == tuple((TIER_CHANGES, 0, at, at, 1) for at in range(66, 1_000, 100))
    assert sink.positions(TIER_CHANGES) == {0: 1_000}


async def test_a_front_killed_amid_inserts_stays_exact(front: Front, exact: Exact) -> None:
    """Whenever ClickHouse is killed and comes back, each record is one row."""
    chance = random.Random(SEED)
    rows = 20_000
    sinks = [ClickHouseSink(front.clickhouse)]
    filling = asyncio.create_task(fill(sinks[0], until=rows, chance=chance))
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        if chance.random() < 0.5:  # the sink dies as well, and another goes on
            filling.cancel()
            with suppress(asyncio.CancelledError):
                await filling
            sinks.append(ClickHouseSink(front.clickhouse))
            filling = asyncio.create_task(fill(sinks[-1], until=rows, chance=chance))
        await asyncio.to_thread(front.kill)
        await asyncio.to_thread(front.start)
    async with asyncio.timeout(HANG_S_MAX):
        await filling
    for each in sinks:
        each.close()
    exact("kill -9 of ClickHouse amid inserts", front.ask, rows, times=KILLS)


async def test_forgotten_tokens_do_not_double(
    front: Front, sink: ClickHouseSink, exact: Exact
) -> None:
    """Blocks that come again after ClickHouse has forgotten their tokens are seen once."""
    front.ask("ALTER TABLE tier_changes MODIFY SETTING non_replicated_deduplication_window = 5")
    blocks = [block(range(at, at + 10)) for at in range(0, 200, 10)]
    ledger = ledger_of(sink)
    for again in (blocks, blocks[:3], blocks):
        await ledger.commit(collected(*again), {})
    exact("tokens forgotten", front.ask, 200, times=3)


async def test_a_zombie_beside_the_owner_stays_exact(front: Front, exact: Exact) -> None:
    """Two sinks that write the same partition at once, cut otherwise, leave each row once."""
    sinks = [ClickHouseSink(front.clickhouse) for _ in range(2)]
    chances = [random.Random(SEED + n) for n in range(2)]
    async with asyncio.timeout(HANG_S_MAX):
        await asyncio.gather(
            *(
                fill(sink, until=5_000, chance=chance)
                for sink, chance in zip(sinks, chances, strict=True)
            )
        )
    for each in sinks:
        each.close()
    exact("two owners of one partition", front.ask, 5_000, times=1)


async def test_another_pace_gives_the_same_rows(front: Front, sink: ClickHouseSink) -> None:
    """A sink that reads all again, cut by another clock, changes no row and no view."""
    sql = "SELECT * FROM tier_changes FINAL ORDER BY source_offset"
    view = "SELECT * FROM transitions_between(begin = '2020-01-01', end = '2030-01-01')"
    ledger = ledger_of(sink)
    answers = []
    for n in range(3):
        chance, at = random.Random(SEED + n), 0
        while at < 2_000:
            end = min(2_000, at + chance.randint(1, BLOCK_ROWS))
            await ledger.commit(collected(block(range(at, end))), {})
            at = end
        answers.append((front.ask(sql), front.ask(view)))
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0][0]) == 2_000
