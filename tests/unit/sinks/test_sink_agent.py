"""What the sink agent and its ledger promise, over a sink in memory."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from agents.records import Record
from agents.rows import BEHIND_MS, PENDING_BYTES_MAX, RowCollector
from agents.schema_lookup import SchemaLookup
from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.registry import RegistryUnavailable, UnknownSchema
from schemas.topics import TIER_CHANGES
from sinks.cutting import BLOCK_OFFSETS
from sinks.memory import MemorySink
from sinks.port import Block, Collected, SinkRejected, SinkUnavailable
from streams import sink_ledger
from streams.sink_ledger import REFUSED_ROWS_MAX, SinkLedger
from tests.faults.rows_of_changes import NOW_MS, plain_change

SCHEMA_ID = 7
LARGE = "x" * 100_000


class Books:
    """A registry with one schema, that can be away."""

    def __init__(self) -> None:
        self.away = 0
        self.asked: list[int] = []

    def schema(self, schema_id: int) -> str:
        self.asked.append(schema_id)
        if self.away:
            self.away -= 1
            raise RegistryUnavailable("not now")
        if schema_id != SCHEMA_ID:
            raise UnknownSchema(f"no schema {schema_id}")
        return contract(TIER_CHANGES).text


def change(lead_id: str, **other: Any) -> dict[str, Any]:
    return plain_change() | {"lead_id": lead_id} | other


ENCODER = Encoder(contract(TIER_CHANGES), SCHEMA_ID)


def record(offset: int, value: bytes | None, *, age_ms: int = 0) -> Record:
    return Record(
        topic=TIER_CHANGES,
        partition=0,
        offset=offset,
        timestamp_ms=NOW_MS - age_ms,
        key=b"k",
        value=value,
        headers=(),
    )


def good(offset: int, *, age_ms: int = 0, lead_id: str | None = None) -> Record:
    return record(offset, ENCODER.encode(change(lead_id or f"lead-{offset}")), age_ms=age_ms)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def collector(books: Books) -> RowCollector:
    writers = WriterSchemas()
    decoder = Decoder(contract(TIER_CHANGES), writers)
    return RowCollector(TIER_CHANGES, 0, decoder, SchemaLookup(writers, books))


async def feed(collector: RowCollector, records: Sequence[Record]) -> None:
    await collector.prepare(records)
    collector.fold(collector.read(records), now_ms=NOW_MS)


def offsets(collected: Collected) -> list[int]:
    return [o for each in collected.blocks for o in each.columns["source_offset"]]  # type: ignore[misc]


async def test_fresh_rows_wait_for_nothing(collector: RowCollector) -> None:
    """Records of this minute are handed over at once."""
    await feed(collector, [good(5), good(6)])
    assert offsets(collector.take()) == [5, 6]
    assert collector.next_timer_ms() is None


async def test_catching_up_cuts_where_the_offsets_say(collector: RowCollector) -> None:
    """While it reads history, blocks end at fixed bounds; the rest waits till all is read."""
    history = range(BLOCK_OFFSETS - 2, BLOCK_OFFSETS + 3)
    await feed(collector, [good(each, age_ms=BEHIND_MS + 1) for each in history])
    assert offsets(collector.take()) == [BLOCK_OFFSETS - 2, BLOCK_OFFSETS - 1]
    assert offsets(collector.take()) == []
    due_ms = collector.next_timer_ms()
    assert due_ms is not None
    assert due_ms <= NOW_MS
    assert collector.fire(until_ms=NOW_MS, now_ms=NOW_MS) == 3
    assert offsets(collector.take()) == [BLOCK_OFFSETS, BLOCK_OFFSETS + 1, BLOCK_OFFSETS + 2]


async def test_what_is_not_ours_is_set_aside_with_its_bytes(collector: RowCollector) -> None:
    """A record that cannot be read is kept with its place, its bytes and why; others are rows."""
    await feed(collector, [good(1), record(2, b"\xff\x01"), record(3, None), good(4)])
    collected = collector.take()
    assert offsets(collected) == [1, 4]
    assert [each.offset for each in collected.rejected] == [2, 3]
    assert [json.loads(each.record) for each in collected.rejected] == [
        {"value_base64": "/wE="},
        {"value_base64": None},
    ]
    assert collected.rejected[0].reason.startswith("bad_framing")


async def test_schemas_of_other_releases_are_looked_up(
    collector: RowCollector, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record with a schema id that is new to the sink is read, even if the registry was away."""
    monkeypatch.setattr("agents.schema_lookup.REGISTRY_RETRY_S", 0.001)
    books.away = 2
    stranger = record(2, b"\x00\x00\x00\x00\x09rest")
    await feed(collector, [good(1), stranger])
    collected = collector.take()
    assert offsets(collected) == [1]
    assert collected.rejected[0].reason.startswith("unknown_schema")
    assert sorted(set(books.asked)) == [SCHEMA_ID, 9]


async def test_reading_pauses_while_much_waits(collector: RowCollector) -> None:
    """Bytes that wait for the store are bounded: the next read waits until they are taken."""
    held = PENDING_BYTES_MAX // len(LARGE) + 1
    await feed(collector, [good(each, lead_id=LARGE) for each in range(held)])
    reading = asyncio.create_task(collector.prepare([good(held)]))
    await asyncio.sleep(0.01)
    assert not reading.done()
    collector.take()
    async with asyncio.timeout(5):
        await reading


class PickySink(MemorySink):
    """Refuses rows of some leads for good, is away now and then, and tells what it was asked."""

    def __init__(self, bad: Sequence[str], *, away: int = 0) -> None:
        super().__init__()
        self.bad = set(bad)
        self.away = away
        self.written: list[Block] = []

    def write(self, block: Block) -> None:
        if self.away:
            self.away -= 1
            raise SinkUnavailable("not now")
        if self.bad & set(block.columns["lead_id"]):
            raise SinkRejected("no such lead", topic=block.topic, partition=block.partition)
        before = self.positions(block.topic).get(block.partition, 0)
        assert block.first_offset >= before, "blocks come in the order of their offsets"
        self.written.append(block)
        super().write(block)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that does not wait long."""
    monkeypatch.setattr(sink_ledger, "RETRY_S_FIRST", 0.001)


async def committed(collector: RowCollector, sink: MemorySink, records: Sequence[Record]) -> None:
    ledger = SinkLedger(sink, topic=TIER_CHANGES, partition=0)
    await feed(collector, records)
    await ledger.commit(collector.take(), {})


@pytest.mark.usefixtures("quick")
async def test_a_refused_row_is_found_and_the_others_written(collector: RowCollector) -> None:
    """Rows that the store refuses are kept aside with the reason; all others are written once."""
    bad = [0, 13, 14, 99]
    sink = PickySink([f"lead-{each}" for each in bad], away=3)
    await committed(collector, sink, [good(each) for each in range(100)])
    assert [row["source_offset"] for row in sink.rows(TIER_CHANGES)] == [
        each for each in range(100) if each not in bad
    ]
    assert [each.offset for each in sink.rejected()] == bad
    assert all(each.reason == "no such lead" for each in sink.rejected())
    assert json.loads(sink.rejected()[1].record)["lead_id"] == "lead-13"
    assert sink.positions(TIER_CHANGES) == {0: 99}


@pytest.mark.usefixtures("quick")
async def test_a_table_that_takes_nothing_is_no_matter_of_rows(collector: RowCollector) -> None:
    """Where every row is refused the sink ends instead of setting the whole topic aside."""
    rows = 3 * REFUSED_ROWS_MAX
    sink = PickySink([f"lead-{each}" for each in range(rows)])
    with pytest.raises(SinkRejected):
        await committed(collector, sink, [good(each) for each in range(rows)])
    assert len(sink.rejected()) == REFUSED_ROWS_MAX
    assert sink.rows(TIER_CHANGES) == []


@pytest.mark.usefixtures("quick")
async def test_rejected_rows_are_kept_before_later_rows_are_written(
    collector: RowCollector,
) -> None:
    """No row moves the position beyond a rejected record before that is kept."""
    sink = PickySink(["lead-3"])
    seen_at_write: list[tuple[int, list[int]]] = []
    write = sink.write

    def watched(block: Block) -> None:
        write(block)
        seen_at_write.append((block.last_offset, [each.offset for each in sink.rejected()]))

    sink.write = watched  # type: ignore[method-assign]
    await committed(collector, sink, [*map(good, range(6)), record(6, b"?"), good(7)])
    assert [each.offset for each in sink.rejected()] == [3, 6]
    for last_offset, kept in seen_at_write:
        assert [each for each in (3, 6) if each < last_offset] == [
            each for each in kept if each < last_offset
        ]


async def test_a_position_is_noted_where_no_row_can_tell_it(collector: RowCollector) -> None:
    """Marks of transactions and foreign records at the end are passed, as all before is held."""
    sink = MemorySink()
    ledger = SinkLedger(sink, topic=TIER_CHANGES, partition=0)
    await feed(collector, [good(0), good(1)])
    await ledger.commit(collector.take(), {TIER_CHANGES: 2})
    await ledger.commit(collector.take(), {TIER_CHANGES: 4})
    assert sink.positions(TIER_CHANGES) == {0: 4}
    await feed(collector, [record(4, b"?")])
    await ledger.commit(collector.take(), {TIER_CHANGES: 5})
    assert sink.positions(TIER_CHANGES) == {0: 5}


async def test_no_note_goes_over_rows_that_wait(collector: RowCollector) -> None:
    """While rows wait for their block to be whole the position stays before them."""
    sink = MemorySink()
    ledger = SinkLedger(sink, topic=TIER_CHANGES, partition=0)
    await feed(collector, [good(0)])
    await ledger.commit(collector.take(), {TIER_CHANGES: 1})
    await feed(collector, [good(1, age_ms=BEHIND_MS + 1)])
    await ledger.commit(collector.take(), {TIER_CHANGES: 4})
    assert sink.positions(TIER_CHANGES) == {0: 1}


async def test_no_note_goes_over_the_last_refused_row(collector: RowCollector) -> None:
    """If it was the table that was at fault, its rows are read again once that is mended."""
    sink = PickySink(["lead-1"])
    ledger = SinkLedger(sink, topic=TIER_CHANGES, partition=0)
    await feed(collector, [good(0), good(1)])
    await ledger.commit(collector.take(), {TIER_CHANGES: 2})
    await ledger.commit(collector.take(), {TIER_CHANGES: 3})
    assert sink.positions(TIER_CHANGES) == {0: 1}
    await feed(collector, [good(3)])
    await ledger.commit(collector.take(), {TIER_CHANGES: 5})
    assert sink.positions(TIER_CHANGES) == {0: 5}
