"""What the views over tier changes promise."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.outputs import Record, lead_velocity_record, tier_change_record
from schemas.topics import LEAD_VELOCITY, TIER_CHANGES
from scoring.dwell import RELATIVE_ERROR, quantile
from scoring.funnel import Partial, Place, Window, added, apply
from scoring.tier_change import Reason, Score, TierChange
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse, query
from sinks.rows import block_of, table_of
from tests.moves import move_of

pytestmark = pytest.mark.integration

TIERS = ("cold", "warm", "hot")
BEGIN_MS = 1_760_000_040_000
offsets = count()

Life = list[tuple[int, TierChange]]

LAW = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def change(
    lead: str, seq: int, from_rank: int, to_rank: int, *, at_ms: int, dwell_ms: int = 0
) -> TierChange:
    return TierChange(
        lead_id=lead,
        seq=seq,
        from_tier=TIERS[from_rank],
        from_rank=from_rank,
        to_tier=TIERS[to_rank],
        to_rank=to_rank,
        score=Score(total=1.0, engagement=1.0, fit=0.0, purchase=0.0),
        velocity=0.0,
        momentum=0.0,
        reason=Reason.EVENT,
        occurred_at_ms=at_ms,
        cools_at_ms=None,
        dwell_ms=dwell_ms,
        trigger_event_id=None,
        contributions=(),
        model="m",
        model_version="v",
    )


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Tier changes of a few leads, each with its partition, by time."""
    changes = []
    for lead in range(draw(st.integers(1, 6))):
        at_ms, rank = BEGIN_MS, 0
        for seq in range(1, draw(st.integers(1, 8)) + 1):
            dwell_ms = draw(st.integers(0, 10) | st.integers(0, 100_000_000))
            to_rank = draw(st.integers(0, 2).filter(rank.__ne__))
            at_ms += dwell_ms
            made = change(f"lead-{lead}", seq, rank, to_rank, at_ms=at_ms, dwell_ms=dwell_ms)
            changes.append((lead % 3, made))
            rank = to_rank
    return sorted(changes, key=lambda each: each[1].occurred_at_ms)


@pytest.fixture
def emptied(database: ClickHouse, sink: ClickHouseSink) -> Callable[[], ClickHouseSink]:
    """Empties the tables and gives the sink."""

    def empty() -> ClickHouseSink:
        for topic in (TIER_CHANGES, LEAD_VELOCITY):
            query(database, f"TRUNCATE TABLE {table_of(topic)}")
        return sink

    return empty


def store(sink: ClickHouseSink, topic: str, partition: int, records: list[Record]) -> None:
    sink.write(block_of(topic, partition, [next(offsets) for _ in records], records))


def store_changes(sink: ClickHouseSink, life: Life) -> None:
    for partition in {partition for partition, _ in life}:
        records = [
            tier_change_record(each, emitted_at_ms=BEGIN_MS, received_at_ms=None)
            for at, each in life
            if at == partition
        ]
        store(sink, TIER_CHANGES, partition, records)


def text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


@LAW
@given(life=lives(), after_ms=st.integers(-1, 100_000_000))
def test_who_was_hot_at_a_moment(
    database: ClickHouse, emptied: Callable[[], ClickHouseSink], life: Life, after_ms: int
) -> None:
    """The tier of a lead at a moment is the one of its last change until then."""
    store_changes(emptied(), life)
    at_ms = BEGIN_MS + after_ms
    wanted = {}
    for _, each in sorted(life, key=lambda pair: pair[1].seq):
        if each.occurred_at_ms <= at_ms:
            wanted[each.lead_id] = (each.to_tier, each.to_rank, each.seq)
    rows = query(
        database,
        "SELECT lead_id, tier, rank, changes FROM tier_at(at = %(at)s)",
        {"at": text(at_ms)},
    ).rows
    assert {row[0]: row[1:] for row in rows} == wanted


@LAW
@given(life=lives())
def test_windows_add_up_over_partitions(
    database: ClickHouse, emptied: Callable[[], ClickHouseSink], life: Life
) -> None:
    """Partials of all partitions, their newest versions only, add up to what one writer saw."""
    sink = emptied()
    held: dict[int, dict[Place, Partial]] = {}
    records: dict[int, list[Record]] = {}
    for partition, each in life:
        partials = apply(held.setdefault(partition, {}), move_of(each), hot_leads=partition, part=0)
        held[partition] |= {partial.place: partial for partial in partials}
        records.setdefault(partition, []).extend(
            lead_velocity_record(partial, partition=partition, updated_at_ms=BEGIN_MS)
            for partial in partials
        )
    for partition, of in records.items():
        half = len(of) // 2
        for part in filter(None, (of[:half], of[half:])):
            store(sink, LEAD_VELOCITY, partition, part)
    answer = query(
        database,
        "SELECT window, toUnixTimestamp64Milli(window_start) AS start, from_rank, to_rank,"
        " changes, dwell_mean_ms, dwell_p50_ms, dwell_p90_ms, dwell_p99_ms FROM funnel_velocity"
        " WHERE segment = 'all'",
    )
    found = {row[:4]: row[4:] for row in answer.rows}
    wanted = {}
    for window, place in {(place.window, place) for of in held.values() for place in of}:
        total = added(of[place].transitions for of in held.values() if place in of)
        for passage, seen in total.items():
            wanted[window.value, place.start_ms, passage.from_rank, passage.to_rank] = (
                seen.count,
                pytest.approx(seen.dwell_ms_sum / seen.count),
                *(pytest.approx(quantile(seen.dwells, q)) for q in (0.5, 0.9, 0.99)),
            )
    assert found == wanted
    hot = query(database, "SELECT hot_leads FROM funnel_hot_leads WHERE segment = 'all'").rows
    assert hot == ((sum(held),),)


@LAW
@given(life=lives())
def test_quantiles_of_windows_are_within_one_per_cent(
    database: ClickHouse, emptied: Callable[[], ClickHouseSink], life: Life
) -> None:
    """Over one day, the median of the windows is within 1 % of a change's own time."""
    sink = emptied()
    partials: dict[Place, Partial] = {}
    for _, each in life:
        partials |= {p.place: p for p in apply(partials, move_of(each), hot_leads=0, part=0)}
    records = [
        lead_velocity_record(partial, partition=0, updated_at_ms=BEGIN_MS)
        for partial in partials.values()
    ]
    store(sink, LEAD_VELOCITY, 0, records)
    rows = query(
        database,
        "SELECT toUnixTimestamp64Milli(window_start), from_rank, to_rank, dwell_p50_ms"
        " FROM funnel_velocity WHERE window = 'day'",
    ).rows
    for start_ms, from_rank, to_rank, median in rows:
        times = sorted(
            each.dwell_ms
            for _, each in life
            if each.occurred_at_ms - each.occurred_at_ms % Window.DAY.span_ms == start_ms
            and (each.from_rank, each.to_rank) == (from_rank, to_rank)
        )
        exact = times[(len(times) - 1) // 2]
        assert median == pytest.approx(exact, rel=RELATIVE_ERROR * 1.001)


def test_transitions_between_two_moments(
    database: ClickHouse, emptied: Callable[[], ClickHouseSink]
) -> None:
    """Transitions are counted from the begin until before the end, each change once."""
    sink = emptied()
    life = [
        (0, change("a", 1, 0, 2, at_ms=BEGIN_MS, dwell_ms=100)),
        (0, change("b", 1, 0, 2, at_ms=BEGIN_MS + 5, dwell_ms=300)),
        (0, change("a", 2, 2, 0, at_ms=BEGIN_MS + 9, dwell_ms=9)),
        (0, change("b", 2, 2, 0, at_ms=BEGIN_MS + 10, dwell_ms=5)),
    ]
    store_changes(sink, life)
    records = [tier_change_record(life[0][1], emitted_at_ms=0, received_at_ms=None)]
    held = query(database, "SELECT min(source_offset) FROM tier_changes").rows[0][0]
    sink.write(block_of(TIER_CHANGES, 0, [held], records, last_offset=held + 1))
    rows = query(
        database,
        "SELECT from_tier, to_tier, changes, leads, dwell_mean_ms, dwell_p50_ms"
        " FROM transitions_between(begin = %(begin)s, end = %(end)s) ORDER BY from_rank",
        {"begin": text(BEGIN_MS), "end": text(BEGIN_MS + 10)},
    ).rows
    assert rows == (("cold", "hot", 2, 2, 200.0, 200.0), ("hot", "cold", 1, 1, 9.0, 9.0))
