"""What the tables and their migrations promise."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from schemas.topics import OUTPUT_TOPICS, TIER_CHANGES
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse, QueryRefused, query
from sinks.migrate import FOLDER, MigrationFailed, migrate
from sinks.port import Block, RejectedRow, SinkMisconfigured, SinkRejected
from sinks.rows import SOURCE_COLUMNS, columns_of_topic, table_of
from sinks.source_topics import note_topics, noted_topics

pytestmark = pytest.mark.integration

FILES = tuple(sorted(path.name for path in FOLDER.glob("*.sql")))


def plain_type(type_: str) -> str:
    """A column's type in one line, without LowCardinality, which changes no value."""
    type_ = re.sub(r"\s+", " ", type_).replace("( ", "(")
    if not type_.startswith("LowCardinality("):
        return type_
    return type_.removeprefix("LowCardinality(").removesuffix(")")


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_columns_are_the_fields_of_the_contract(database: ClickHouse, topic: str) -> None:
    """A table has its contract's fields, of their types, in their order, and the record's place."""
    table = query(database, f"DESCRIBE TABLE {table_of(topic)}")
    found = {name: plain_type(type_) for name, type_, *_ in table.rows}
    wanted = {each.name: each.type for each in columns_of_topic(topic)} | SOURCE_COLUMNS
    assert list(found.items()) == list(wanted.items())


def test_everything_is_explained(database: ClickHouse) -> None:
    """Every table, view and column of a table says what it is."""
    silent_tables = query(
        database,
        "SELECT name FROM system.tables WHERE database = %(database)s AND comment = ''"
        " AND name NOT IN ('schema_versions')",
        {"database": database.database},
    )
    assert silent_tables.rows == ()
    silent_columns = query(
        database,
        "SELECT c.table, c.name FROM system.columns AS c INNER JOIN system.tables AS t"
        " ON t.database = c.database AND t.name = c.table"
        " WHERE c.database = %(database)s AND c.comment = '' AND t.engine LIKE '%%MergeTree'"
        " AND t.name != 'schema_versions'",
        {"database": database.database},
    )
    assert silent_columns.rows == ()


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_the_second_net_is_there(database: ClickHouse, topic: str) -> None:
    """Every table remembers the tokens of its last blocks."""
    made = query(database, f"SHOW CREATE TABLE {table_of(topic)}").rows[0][0]
    assert "non_replicated_deduplication_window = 10000" in made
    assert "ENGINE = ReplacingMergeTree" in made


def block_of_places(topic: str, offsets: range) -> Block:
    """A block that tells nothing but where its records stand."""
    columns: dict[str, Sequence[object]] = {
        "source_topic": [topic] * len(offsets),
        "source_partition": [0] * len(offsets),
        "source_offset": list(offsets),
    }
    return Block(
        topic=topic,
        partition=0,
        first_offset=offsets[0],
        last_offset=offsets[-1],
        columns=columns,
    )


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_positions_read_no_rows(database: ClickHouse, sink: ClickHouseSink, topic: str) -> None:
    """Where to go on is read from the projection, not from the rows."""
    sink.write(block_of_places(topic, range(100)))
    plan = query(
        database,
        "EXPLAIN SELECT source_partition, max(source_offset) + 1"
        f" FROM {table_of(topic)} WHERE source_topic = '{topic}' GROUP BY source_partition",
    )
    assert any("ReadFromMergeTree (positions)" in line for (line,) in plan.rows)


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_positions_outlive_merges_and_deletes(fresh: ClickHouse, topic: str) -> None:
    """Where to go on stays what it was when rows are merged, and when a lead is deleted."""
    migrate(fresh)
    sink = ClickHouseSink(fresh)
    for offsets in (range(10), range(4, 12)):
        sink.write(block_of_places(topic, offsets))
    query(fresh, f"OPTIMIZE TABLE {table_of(topic)} FINAL")
    query(fresh, f"DELETE FROM {table_of(topic)} WHERE source_offset < 5")
    assert sink.positions(topic) == {0: 12}
    sink.close()


def test_migrating_is_told_and_done_once(fresh: ClickHouse) -> None:
    """The first run makes database and tables and tells each step; the next finds nothing to do."""
    told: list[str] = []
    assert migrate(fresh, progress=told.append) == FILES
    assert told == [f"database {fresh.database}", *FILES]
    told.clear()
    assert migrate(fresh, progress=told.append) == ()
    assert told == []


def test_migrating_goes_on_after_it_was_broken_off(fresh: ClickHouse) -> None:
    """A run that was broken off amid a file is completed by the next."""
    empty = replace(fresh, database="")
    query(empty, f"CREATE DATABASE {fresh.database}")
    first = (FOLDER / FILES[0]).read_text(encoding="utf-8").split(";\n\n")[0]
    query(fresh, first)
    assert migrate(fresh) == FILES


def test_tables_of_another_release_are_not_touched(fresh: ClickHouse) -> None:
    """Tables that a newer release made are refused, with what to do."""
    migrate(fresh)
    query(
        fresh,
        "INSERT INTO schema_versions (version, md5, script) SELECT 999, 'x', 'SELECT 1'",
    )
    with pytest.raises(MigrationFailed, match=r"999.*newer"):
        migrate(fresh)


def test_a_store_without_tables_says_what_to_do(fresh: ClickHouse) -> None:
    """A sink before its set-up loses nothing and names the command that cures it."""
    query(replace(fresh, database=""), f"CREATE DATABASE {fresh.database}")
    sink = ClickHouseSink(fresh)
    block = block_of_places(TIER_CHANGES, range(3))
    asks: tuple[Callable[[], object], ...] = (
        lambda: sink.positions(TIER_CHANGES),
        lambda: sink.write(block),
        lambda: sink.reject([RejectedRow(topic="a", partition=0, offset=1, reason="", record="")]),
        lambda: noted_topics(fresh),
        lambda: note_topics(fresh, {TIER_CHANGES: "id"}),
    )
    for ask in asks:
        with pytest.raises(SinkMisconfigured, match="leadvelocity setup"):
            ask()
    sink.close()


def test_a_value_of_another_type_is_rejected(sink: ClickHouseSink) -> None:
    """A value that the driver cannot encode is told as one that will never fit."""
    good = block_of_places(TIER_CHANGES, range(1))
    bad = replace(good, columns={**good.columns, "source_offset": ["not a number"]})
    before = sink.positions(TIER_CHANGES)
    with pytest.raises(SinkRejected, match="tier-changes-0 0-0"):
        sink.write(bad)
    assert sink.positions(TIER_CHANGES) == before


def test_the_same_block_is_one_part(fresh: ClickHouse) -> None:
    """A block written again is dropped by its name: a plain count does not see it."""
    migrate(fresh)
    sink = ClickHouseSink(fresh)
    block = block_of_places(TIER_CHANGES, range(100))
    for release in ("of one release", "of the next, which writes it differently"):
        sink.write(replace(block, columns={**block.columns, "model": [release] * 100}))
    sink.close()
    assert query(fresh, "SELECT count() FROM tier_changes").rows == ((100,),)


def test_rows_that_were_deleted_can_come_again(fresh: ClickHouse) -> None:
    """Rows that somebody deleted come back when the same records are read again."""
    migrate(fresh)
    sink = ClickHouseSink(fresh)
    sink.write(block_of_places(TIER_CHANGES, range(6)))
    query(fresh, "DELETE FROM tier_changes WHERE source_offset >= 2")
    assert sink.positions(TIER_CHANGES) == {0: 2}
    sink.write(block_of_places(TIER_CHANGES, range(6)))
    assert sink.positions(TIER_CHANGES) == {0: 6}
    assert query(fresh, "SELECT count() FROM tier_changes FINAL").rows == ((6,),)
    sink.close()


def test_materialized_views_do_not_count_twice(fresh: ClickHouse) -> None:
    """A block written again does not reach the target of a materialized view again."""
    migrate(fresh)
    query(
        fresh,
        "CREATE TABLE counted (n UInt64) ENGINE = MergeTree ORDER BY ()"
        " SETTINGS non_replicated_deduplication_window = 10000",
    )
    query(
        fresh,
        "CREATE MATERIALIZED VIEW counting TO counted AS SELECT count() AS n FROM tier_changes",
    )
    sink = ClickHouseSink(fresh)
    again = block_of_places(TIER_CHANGES, range(100))
    for block in (again, again, block_of_places(TIER_CHANGES, range(100, 130))):
        sink.write(block)
    sink.close()
    assert query(fresh, "SELECT sum(n) FROM counted").rows == ((130,),)


def test_a_query_that_is_wrong_is_told_in_its_own_words(database: ClickHouse) -> None:
    """A wrong statement is the asker's, not a store that is away."""
    with pytest.raises(QueryRefused, match=r"(?i)syntax"):
        query(database, "SELEKT 1")


def test_an_answer_has_its_columns_without_rows(database: ClickHouse) -> None:
    """A query without rows still names its columns."""
    answer = query(database, "SELECT lead_id, seq FROM tier_changes WHERE 1 = 0")
    assert answer.columns == ("lead_id", "seq")
    assert answer.rows == ()
