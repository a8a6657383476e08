"""Laws of the score views: SQL gives the same score as the fold."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.outputs import Record, lead_score_record, scored_event_record
from schemas.topics import LEAD_SCORES, SCORED_EVENTS
from scoring.event import Event, EventType
from scoring.fold import fold
from scoring.model import FitRule, Group, Model, Signal, Tier
from scoring.score import score_at
from scoring.state import Count, LeadState
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse, query
from sinks.models import publish_model
from sinks.rows import block_of

pytestmark = pytest.mark.integration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_MS = 86_400_000
BEGIN_MS = 1_700_000_000_000
offsets = count()

LAW = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Always:
    """A condition that holds."""

    source = "true"
    names = ()
    answers = ()

    def holds(self, view: Mapping[str, object]) -> bool:
        """Hold."""
        return True


def moment(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)


numbers = st.floats(min_value=-60, max_value=120, allow_nan=False).map(lambda x: round(x, 3))
caps = st.none() | st.floats(min_value=0.5, max_value=200).map(lambda x: round(x, 3))
half_lives = st.sampled_from([1_000, 3_600_000, DAY_MS, 7 * DAY_MS + 1, 400 * DAY_MS])


@st.composite
def models(draw: st.DrawFn, *, one_per_type: bool = False) -> Model:
    groups = [Group(name=name, cap=draw(caps)) for name in "ab"]
    some = st.lists(st.sampled_from(EventType), max_size=6)
    types = list(EventType) if one_per_type else draw(some)
    signals = tuple(
        Signal(
            name=f"signal {place}",
            on=on,
            points=draw(numbers),
            half_life_ms=draw(half_lives),
            cap=draw(caps),
            group=draw(st.sampled_from([None, *(group.name for group in groups)])),
            when=None,
        )
        for place, on in enumerate(types)
    )
    inf = float("inf")
    return Model(
        name="law",
        signals=signals,
        groups=tuple(groups),
        fit=(FitRule(when=Always(), points=draw(numbers)),),
        tiers=(
            Tier(name="cold", enter=-inf, exit=-inf, dwell_ms=0),
            Tier(name="hot", enter=50.0, exit=40.0, dwell_ms=0),
        ),
        fast_half_life_ms=DAY_MS,
        slow_half_life_ms=14 * DAY_MS,
        machine_weight=draw(st.sampled_from([0.0, 0.2, 1.0])),
        recent_ids_max=64,
        version=uuid4().hex,
        state_version="law",
    )


@st.composite
def states(draw: st.DrawFn, model: Model) -> LeadState:
    as_of_ms = BEGIN_MS + draw(st.integers(0, 400 * DAY_MS))
    ages = st.integers(0, 800 * DAY_MS) | st.integers(0, 10_000)
    values = st.floats(min_value=0, max_value=500, allow_subnormal=False)
    counts = tuple(
        draw(
            st.none()
            | st.builds(lambda value, age: Count(value=value, ref_ms=as_of_ms - age), values, ages)
        )
        for _ in model.signals
    )
    return LeadState(
        counts=counts,
        fast=0.0,
        slow=0.0,
        points_ref_ms=as_of_ms,
        profile=(),
        recent_ids=b"",
        tier=0,
        since_ms=as_of_ms,
        as_of_ms=as_of_ms,
        seq=0,
        ceiling=float("inf"),
        due_ms=None,
        model_version=model.version,
    )


@st.composite
def models_with_states(draw: st.DrawFn) -> tuple[Model, list[LeadState]]:
    model = draw(models())
    return model, draw(st.lists(states(model), min_size=1, max_size=12))


def store(sink: ClickHouseSink, topic: str, records: list[Record]) -> None:
    sink.write(block_of(topic, 0, [next(offsets) for _ in records], records))


def scores_at(
    database: ClickHouse, model: Model, at_ms: int, columns: str = "score"
) -> dict[str, tuple[Any, ...]]:
    answer = query(
        database,
        f"SELECT lead_id, {columns} FROM lead_score_at(at = %(at)s) WHERE model_version = %(v)s",
        {"at": moment(at_ms).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], "v": model.version},
    )
    return {row[0]: row[1:] for row in answer.rows}


@LAW
@given(models_with_states(), st.data())
def test_sql_scores_as_we_do(
    database: ClickHouse, sink: ClickHouseSink, drawn: Any, data: st.DataObject
) -> None:
    """At any moment from its state on, SQL gives each lead the score that scoring gives, 1e-9."""
    model, leads = drawn
    publish_model(database, model)
    names = [uuid4().hex for _ in leads]
    records = [
        lead_score_record(name, state, model, at_ms=state.as_of_ms, updated_at_ms=BEGIN_MS)
        for name, state in zip(names, leads, strict=True)
    ]
    store(sink, LEAD_SCORES, records)
    picked = data.draw(st.sampled_from(leads)).as_of_ms
    for at_ms in (picked, picked + data.draw(st.integers(0, 900 * DAY_MS))):
        found = scores_at(database, model, at_ms, "score, engagement")
        assert found.keys() == set(names)
        for name, state in zip(names, leads, strict=True):
            if at_ms < state.as_of_ms:
                assert found[name] == (None, None)
                continue
            wanted = score_at(state, model, at_ms)
            assert found[name] == pytest.approx((wanted.total, wanted.engagement), abs=1e-9)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Model, list[Event]]:
    model = draw(models(one_per_type=True))
    events = draw(
        st.lists(
            st.tuples(
                st.integers(0, 30 * DAY_MS),
                st.sampled_from(EventType),
                st.sampled_from([None, False, True]),
            ),
            min_size=1,
            max_size=25,
        )
    )
    return model, [
        Event(
            type=type_,
            event_id=str(place),
            lead_id="",
            occurred_at_ms=BEGIN_MS + after_ms,
            machine=machine,
            fields={},
            profile={},
        )
        for place, (after_ms, type_, machine) in enumerate(events)
    ]


@LAW
@given(histories(), st.integers(-DAY_MS, 40 * DAY_MS))
def test_sql_knows_the_past(
    database: ClickHouse, sink: ClickHouseSink, drawn: Any, after_ms: int
) -> None:
    """At any moment, SQL gives a lead the engagement that folding its events until then gives."""
    model, events = drawn
    at_ms = BEGIN_MS + after_ms
    publish_model(database, model)
    lead = uuid4().hex
    state: LeadState | None = None
    past: LeadState | None = None
    records = []
    for event in events:
        folded = fold(state, event, model)
        state = folded.state
        records.append(
            scored_event_record(
                lead_id=lead,
                occurred_at_ms=event.occurred_at_ms,
                outcome=folded.outcome,
                model_version=model.version,
                event=event,
                signal=folded.signal,
                weight=folded.weight,
                points=folded.points,
            )
        )
        if event.occurred_at_ms <= at_ms:
            past = fold(past, event, model).state
    store(sink, SCORED_EVENTS, records)
    at = moment(at_ms).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    sql = "SELECT engagement FROM lead_engagement_at(at = %(at)s) WHERE lead_id = %(lead)s"
    rows = query(database, sql, {"at": at, "lead": lead}).rows
    if past is None:
        assert rows == ()
    else:
        assert rows[0][0] == pytest.approx(score_at(past, model, at_ms).engagement, abs=1e-9)


def a_lead(
    model: Model, *, value: float, as_of_ms: int = BEGIN_MS, tier: int = 0
) -> tuple[str, Record]:
    state = LeadState(
        counts=tuple(Count(value=value, ref_ms=as_of_ms) for _ in model.signals),
        fast=0.0,
        slow=0.0,
        points_ref_ms=as_of_ms,
        profile=(),
        recent_ids=b"",
        tier=tier,
        since_ms=as_of_ms,
        as_of_ms=as_of_ms,
        seq=0,
        ceiling=float("inf"),
        due_ms=None,
        model_version=model.version,
    )
    lead = uuid4().hex
    return lead, lead_score_record(lead, state, model, at_ms=as_of_ms, updated_at_ms=as_of_ms)


def a_model() -> Model:
    signal = Signal(
        name="visit",
        on=EventType.WEBSITE_VISIT,
        points=10.0,
        half_life_ms=DAY_MS,
        cap=None,
        group=None,
        when=None,
    )
    inf = float("inf")
    return Model(
        name="plain",
        signals=(signal,),
        groups=(),
        fit=(),
        tiers=(
            Tier(name="cold", enter=-inf, exit=-inf, dwell_ms=0),
            Tier(name="blazing", enter=50.0, exit=40.0, dwell_ms=0),
        ),
        fast_half_life_ms=DAY_MS,
        slow_half_life_ms=14 * DAY_MS,
        machine_weight=0.2,
        recent_ids_max=64,
        version=uuid4().hex,
        state_version="plain",
    )


def test_a_score_without_its_model_is_not_known(database: ClickHouse, sink: ClickHouseSink) -> None:
    """A lead whose model SQL does not have has no score there, rather than a wrong one."""
    model = a_model()
    lead, record = a_lead(model, value=3.0)
    store(sink, LEAD_SCORES, [record])
    assert scores_at(database, model, BEGIN_MS) == {lead: (None,)}
    publish_model(database, model)
    assert scores_at(database, model, BEGIN_MS) == {lead: (30.0,)}


def test_a_model_is_published_once(database: ClickHouse) -> None:
    """Publishing a model again, as every worker does, changes nothing."""
    model = a_model()
    for _ in range(3):
        publish_model(database, model)
    for table, rows in (("score_models", 1), ("score_tiers", 2)):
        sql = f"SELECT count() FROM {table} WHERE model_version = %(v)s"
        assert query(database, sql, {"v": model.version}).rows == ((rows,),)


def test_a_lead_has_one_row_in_each_view(database: ClickHouse, sink: ClickHouseSink) -> None:
    """However often a lead was scored, the views show it once, as it was scored last."""
    model = a_model()
    publish_model(database, model)
    lead, record = a_lead(model, value=3.0)
    store(sink, LEAD_SCORES, [record])
    store(sink, LEAD_SCORES, [{**record, "score": 31.0}])
    for view in ("lead_current", "leads_now", f"lead_score_at(at = '{moment(BEGIN_MS):%F %T}')"):
        rows = query(database, f"SELECT score FROM {view} WHERE lead_id = '{lead}'").rows
        assert len(rows) == 1
    current = query(database, f"SELECT score FROM lead_current WHERE lead_id = '{lead}'")
    assert current.rows == ((31.0,),)


def test_the_hottest_come_first(database: ClickHouse, sink: ClickHouseSink) -> None:
    """Leads of the highest tier, whatever its name, stand in hot_leads_now by their score now."""
    model = a_model()
    publish_model(database, model)
    now_ms = round(datetime.now(UTC).timestamp() * 1000)
    one, first = a_lead(model, value=5.0, tier=1, as_of_ms=now_ms - 2 * DAY_MS)
    two, second = a_lead(model, value=4.0, tier=1, as_of_ms=now_ms)
    ahead, third = a_lead(model, value=3.0, tier=1, as_of_ms=now_ms + 60_000)
    _, cold = a_lead(model, value=9.0, as_of_ms=now_ms)
    store(sink, LEAD_SCORES, [first, second, third, cold])
    sql = f"SELECT lead_id, score FROM hot_leads_now WHERE model_version = '{model.version}'"
    rows = query(database, sql).rows
    assert [lead for lead, _ in rows] == [two, ahead, one]
    assert [score for _, score in rows] == pytest.approx([40.0, 30.0, 12.5], rel=1e-2)
