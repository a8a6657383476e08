"""What every row sink promises: the one in memory and the one in ClickHouse alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from schemas.contracts import contract
from schemas.topics import DEAD_LETTERS, LEAD_SCORES, OUTPUT_TOPICS, SCORED_EVENTS, TIER_CHANGES
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse
from sinks.columns import TIME_MAX_MS
from sinks.memory import MemorySink
from sinks.migrate import migrate
from sinks.port import Block, RejectedRow, RowSink
from sinks.rows import SOURCE_COLUMNS, block_of, columns_of_topic, table_of

NOW_MS = 1_760_000_000_123

Row = tuple[Any, ...]
Seen = Callable[[str], list[Row]]


@pytest.fixture(scope="module")
def database(clickhouse_server: ClickHouse) -> Iterator[ClickHouse]:
    """A database of this module's own, with our tables."""
    mine = replace(clickhouse_server, database=f"contract_{uuid4().hex}")
    migrate(mine)
    yield mine
    mine.client().execute(f"DROP DATABASE {mine.database}")


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.integration)])
def sink(request: pytest.FixtureRequest) -> Iterator[RowSink]:
    """An empty sink."""
    if request.param == "memory":
        yield MemorySink()
        return
    database = request.getfixturevalue("database")
    client = database.client()
    for table in (*map(table_of, OUTPUT_TOPICS), "rejected_rows", "source_positions"):
        client.execute(f"TRUNCATE TABLE {table}")
    client.disconnect()
    clickhouse = ClickHouseSink(database)
    yield clickhouse
    clickhouse.close()


@pytest.fixture
def seen(sink: RowSink, request: pytest.FixtureRequest) -> Seen:
    """What a reader sees of a topic: rows in order, times in milliseconds, text as bytes."""

    def in_memory(topic: str) -> list[Row]:
        assert isinstance(sink, MemorySink)
        return [plain(tuple(row.values())) for row in sink.rows(topic)]

    def in_clickhouse(topic: str) -> list[Row]:
        client = request.getfixturevalue("database").client()
        names = [*(each.name for each in columns_of_topic(topic)), *SOURCE_COLUMNS]
        sql = (
            f"SELECT {', '.join(names)} FROM {table_of(topic)} FINAL"
            " ORDER BY source_partition, source_offset"
        )
        rows = client.execute(sql, settings={"strings_as_bytes": True})
        client.disconnect()
        return [plain(row) for row in rows]

    return in_memory if isinstance(sink, MemorySink) else in_clickhouse


@pytest.fixture
def kept(sink: RowSink, request: pytest.FixtureRequest) -> Callable[[], list[RejectedRow]]:
    """What a reader sees of the rejected rows, in order."""

    def in_clickhouse() -> list[RejectedRow]:
        client = request.getfixturevalue("database").client()
        rows = client.execute(
            "SELECT source_topic, source_partition, source_offset, reason, record"
            " FROM rejected_rows FINAL ORDER BY source_topic, source_partition, source_offset"
        )
        client.disconnect()
        names = ("topic", "partition", "offset", "reason", "record")
        return [RejectedRow(**dict(zip(names, row, strict=True))) for row in rows]

    return sink.rejected if isinstance(sink, MemorySink) else in_clickhouse


def plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(each) for each in value)
    return value


def value_of(avro: Any, n: int, *, full: bool) -> Any:
    """A value of an Avro type that tells `n`."""
    if isinstance(avro, list):
        return value_of(avro[1], n, full=full) if full else None
    if isinstance(avro, dict):
        if avro["type"] == "array":
            items = range(n % 4) if full else ()
            return [record_of(avro["items"], i, full=n % 2 == 0) for i in items]
        if avro["type"] == "map":
            return {"path": f"/p{n}", "n": n, "x": n / 3, "yes": True, "no": None} if full else {}
        return NOW_MS + n
    scalars = {
        "string": f"väl'ue\\ {n}",
        "bytes": b"\xff\x00" + bytes([n % 256]),
        "boolean": n % 2 == 0,
        "int": n,
        "long": n * (1 << 40),
        "double": n / 7,
    }
    return scalars[avro]


def record_of(schema: Mapping[str, Any], n: int, *, full: bool = True) -> dict[str, Any]:
    return {each["name"]: value_of(each["type"], n, full=full) for each in schema["fields"]}


def block(topic: str, offsets: Sequence[int], *, partition: int = 0, full: bool = True) -> Block:
    records = [record_of(contract(topic).schema, each, full=full) for each in offsets]
    return block_of(topic, partition, list(offsets), records)


def places(rows: list[Row]) -> list[tuple[int, int]]:
    return [(row[-2], row[-1]) for row in rows]


def test_an_empty_store_has_no_positions(sink: RowSink) -> None:
    """A store that holds nothing says so."""
    assert sink.positions(TIER_CHANGES) == {}


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
@pytest.mark.parametrize("full", [True, False])
def test_values_come_back(sink: RowSink, seen: Seen, topic: str, full: bool) -> None:
    """Every value of every topic is read back as it was written, optional ones absent too."""
    written = block(topic, range(1, 9), full=full)
    sink.write(written)
    expected = [plain(row) for row in zip(*written.columns.values(), strict=True)]
    assert seen(topic) == expected


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_positions_follow_the_rows(sink: RowSink, topic: str) -> None:
    """The position of a partition is one more than the highest offset held."""
    sink.write(block(topic, range(5)))
    sink.write(block(topic, (5, 8, 9)))
    sink.write(block(topic, (40,), partition=3))
    assert sink.positions(topic) == {0: 10, 3: 41}


def test_topics_do_not_mix(sink: RowSink, seen: Seen) -> None:
    """Rows of one topic move no position of another."""
    sink.write(block(TIER_CHANGES, range(5)))
    assert sink.positions(SCORED_EVENTS) == {}
    assert seen(SCORED_EVENTS) == []


def test_the_same_block_again_is_not_seen_twice(sink: RowSink, seen: Seen) -> None:
    """A block that is written again, also after others, leaves each row once."""
    first, second = block(TIER_CHANGES, range(5)), block(TIER_CHANGES, range(5, 9))
    for each in (first, first, second, first, second):
        sink.write(each)
    assert places(seen(TIER_CHANGES)) == [(0, offset) for offset in range(9)]
    assert sink.positions(TIER_CHANGES) == {0: 9}


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_other_cuts_are_not_seen_twice(sink: RowSink, seen: Seen, topic: str) -> None:
    """Rows that come again in blocks cut otherwise are seen once."""
    for offsets in (range(6), range(3), range(2, 9), range(8, 9), range(9)):
        sink.write(block(topic, offsets))
    assert places(seen(topic)) == [(0, offset) for offset in range(9)]


def test_partitions_are_apart(sink: RowSink, seen: Seen) -> None:
    """The same offsets of two partitions are different rows."""
    sink.write(block(DEAD_LETTERS, range(3), partition=0))
    sink.write(block(DEAD_LETTERS, range(3), partition=1))
    assert places(seen(DEAD_LETTERS)) == [(p, offset) for p in (0, 1) for offset in range(3)]


def test_an_older_block_moves_no_position_back(sink: RowSink) -> None:
    """A block that comes late, from a writer that was replaced, leaves the position where it is."""
    sink.write(block(LEAD_SCORES, range(4, 9)))
    sink.write(block(LEAD_SCORES, range(4)))
    assert sink.positions(LEAD_SCORES) == {0: 9}


def test_a_block_can_be_written_as_often_as_needed(sink: RowSink, seen: Seen) -> None:
    """Writing does not change the block: a later try sends the same values."""
    again = block(SCORED_EVENTS, range(4), full=False)
    before = {name: list(values) for name, values in again.columns.items()}
    sink.write(again)
    assert again.columns == before
    sink.write(replace(again, last_offset=99))
    assert len(seen(SCORED_EVENTS)) == 4


def test_writers_side_by_side(sink: RowSink, seen: Seen) -> None:
    """Writers in several threads, of the same rows too, leave each row once."""
    cuts = [(p, range(at, at + 25)) for p in range(3) for at in (0, 20, 40, 60)] * 2
    with ThreadPoolExecutor(max_workers=4) as pool:
        for done in [
            pool.submit(sink.write, block(TIER_CHANGES, offsets, partition=p))
            for p, offsets in cuts
        ]:
            done.result(timeout=60)
    assert sink.positions(TIER_CHANGES) == {0: 85, 1: 85, 2: 85}
    assert places(seen(TIER_CHANGES)) == [(p, offset) for p in range(3) for offset in range(85)]


def test_times_out_of_range_do_not_stop_a_block(sink: RowSink, seen: Seen) -> None:
    """A time beyond what the store can hold is stored as its bound, and its neighbours as is."""
    records = [record_of(contract(DEAD_LETTERS).schema, n) for n in range(3)]
    records[1]["timestamp"] = (1 << 53) - 1
    sink.write(block_of(DEAD_LETTERS, 0, [0, 1, 2], records))
    assert [row[3] for row in seen(DEAD_LETTERS)] == [NOW_MS, TIME_MAX_MS, NOW_MS + 2]


def test_an_empty_block_writes_nothing(sink: RowSink, seen: Seen) -> None:
    """A block that covers offsets without rows is taken."""
    empty = replace(block(TIER_CHANGES, (0,)), columns={})
    sink.write(empty)
    assert seen(TIER_CHANGES) == []


def test_other_rows_of_the_same_offsets_are_not_dropped(sink: RowSink, seen: Seen) -> None:
    """A block with the offsets of another, but other rows, is written."""
    offsets = range(4)
    sink.write(block(TIER_CHANGES, offsets, full=False))
    sink.write(block(TIER_CHANGES, offsets, full=True))
    written = block(TIER_CHANGES, offsets, full=True)
    new = [plain(row) for row in zip(*written.columns.values(), strict=True)]
    assert [row for row in seen(TIER_CHANGES) if row in new] == new


def test_halves_are_the_block(sink: RowSink, seen: Seen) -> None:
    """A block written as its halves leaves the rows and the position of the whole."""
    whole = block(SCORED_EVENTS, (3, 4, 7, 9, 10))
    halves = whole.halves()
    assert [(each.first_offset, each.last_offset) for each in halves] == [(3, 6), (7, 10)]
    for half in halves:
        sink.write(half)
    assert seen(SCORED_EVENTS) == [plain(row) for row in zip(*whole.columns.values(), strict=True)]
    assert sink.positions(SCORED_EVENTS) == {0: 11}


def test_rejected_rows_are_kept_once(sink: RowSink, kept: Callable[[], list[RejectedRow]]) -> None:
    """What is no row of its table is kept word for word, once, and moves no position."""
    rows = [
        RejectedRow(
            topic=TIER_CHANGES,
            partition=2,
            offset=offset,
            reason=f"wäre's so? {offset}",
            record='{"a": "\\u00e4"}',
        )
        for offset in (5, 9)
    ]
    for again in (rows, rows[1:], [], rows):
        sink.reject(again)
    assert kept() == rows
    assert sink.positions(TIER_CHANGES) == {}


def test_a_noted_position_goes_beyond_the_rows(sink: RowSink) -> None:
    """Where nothing follows but what makes no rows, a note says where to go on."""
    sink.write(block(TIER_CHANGES, range(5)))
    sink.note_position(TIER_CHANGES, 0, 9)
    sink.note_position(TIER_CHANGES, 2, 3)
    assert sink.positions(TIER_CHANGES) == {0: 9, 2: 3}
    assert sink.positions(SCORED_EVENTS) == {}
    sink.write(block(TIER_CHANGES, (9, 10)))
    assert sink.positions(TIER_CHANGES) == {0: 11, 2: 3}


def test_an_older_note_moves_no_position_back(sink: RowSink) -> None:
    """A note that comes late, from a sink that was replaced, leaves the position where it is."""
    for noted in (9, 5):
        sink.note_position(TIER_CHANGES, 0, noted)
    sink.write(block(LEAD_SCORES, range(9)))
    sink.note_position(LEAD_SCORES, 0, 4)
    assert sink.positions(TIER_CHANGES) == {0: 9}
    assert sink.positions(LEAD_SCORES) == {0: 9}
