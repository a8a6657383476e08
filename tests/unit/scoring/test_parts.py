"""Decay, profile, tiers, velocity and crossings, by examples."""

import math

import pytest

from scoring.crossing import next_change_ms
from scoring.curve import curve_of
from scoring.decay import added, decayed
from scoring.explanation import explain
from scoring.extent import extent
from scoring.prepared import prepared
from scoring.profile import as_mapping, merged
from scoring.score import contributions_at
from scoring.state import Count, LeadState
from scoring.tiers import judged
from scoring.velocity import DAY_MS, momentum_at, velocity_at
from tests.unit.scoring.makers import MakeModel, MakeSignal, MakeState


def test_decay_never_overflows() -> None:
    """
    After ten thousand half-lives a count is 0.0, not an error and not below.
    """
    assert decayed(Count(value=1e9, ref_ms=0), at_ms=10_000, half_life_ms=1) == 0.0


def test_adding_commutes() -> None:
    """
    An old and a new event give the same count in either order.
    """
    old_first = added(added(None, 1.0, at_ms=0, half_life_ms=10), 1.0, at_ms=10, half_life_ms=10)
    new_first = added(added(None, 1.0, at_ms=10, half_life_ms=10), 1.0, at_ms=0, half_life_ms=10)

    assert old_first == new_first == Count(value=1.5, ref_ms=10)


def test_the_latest_answer_is_kept() -> None:
    """
    A later answer replaces, an earlier one does not, and of two at once the later arrival does.
    """
    profile = merged((), {"b": 1, "a": "x"}, at_ms=5)
    profile = merged(profile, {"b": 2, "c": True}, at_ms=4)
    profile = merged(profile, {"a": "y"}, at_ms=5)

    assert as_mapping(profile) == {"a": "y", "b": 1, "c": True}
    assert [answer.name for answer in profile] == ["a", "b", "c"]
    assert merged(profile, {}, at_ms=9) is profile


@pytest.mark.parametrize(
    ("rank", "score", "held_ms", "want"),
    [
        (0, 19.9, 0, 0),
        (0, 20.0, 0, 1),
        (0, 50.0, 0, 2),
        (1, 50.0, 0, 2),
        (1, 15.0, 0, 1),
        (1, 14.9, 0, 0),
        (2, 40.0, 0, 2),
        (2, 39.9, 0, 1),
        (2, 14.9, 0, 0),
        (0, 0.0, 0, 0),
    ],
)
def test_judgement(a_model: MakeModel, rank: int, score: float, held_ms: int, want: int) -> None:
    """
    Up at `enter`, down below `exit`, as far as the score says, and nothing in between.
    """
    assert judged(a_model().tiers, rank=rank, score=score, held_ms=held_ms) == want


def test_dwell_holds_falls_only(a_model: MakeModel) -> None:
    """
    Before its dwell a lead does not fall, but it rises at any time.
    """
    tiers = a_model(dwell_ms=100).tiers

    assert judged(tiers, rank=1, score=0.0, held_ms=99) == 1
    assert judged(tiers, rank=1, score=0.0, held_ms=100) == 0
    assert judged(tiers, rank=1, score=50.0, held_ms=0) == 2


@pytest.fixture
def a_state() -> MakeState:
    """Make a state at time 0."""

    def make(
        *counts: Count | None, tier: int = 0, fast: float = 0.0, slow: float = 0.0
    ) -> LeadState:
        return LeadState(
            counts=counts,
            fast=fast,
            slow=slow,
            points_ref_ms=0,
            profile=(),
            recent_ids=b"",
            tier=tier,
            since_ms=0,
            as_of_ms=0,
            seq=0,
            ceiling=math.inf,
            due_ms=None,
            model_version="v1",
        )

    return make


def test_velocity_is_points_a_day(a_model: MakeModel, a_state: MakeState) -> None:
    """
    A steady stream of 5 points a day sums to 5 h / ln 2, and its velocity is 5, its momentum 0.
    """
    steady = 5 / math.log(2)
    state = a_state(None, fast=steady, slow=steady * 14)

    assert velocity_at(state, a_model(), 0) == pytest.approx(5.0)
    assert momentum_at(state, a_model(), 0) == pytest.approx(0.0)
    assert velocity_at(state, a_model(), DAY_MS) == pytest.approx(2.5)
    assert momentum_at(state, a_model(), DAY_MS) < 0


def test_two_half_lives_cross_between_their_own(
    a_model: MakeModel, a_signal: MakeSignal, a_state: MakeState
) -> None:
    """
    20 points at a half-life of 1 s and 20 at 2 s are 5 and 10 after 2 s, and then below 15.
    """
    model = a_model(a_signal("short", half_life_ms=1_000), a_signal("long", half_life_ms=2_000))
    two = Count(value=2.0, ref_ms=0)

    both = next_change_ms(a_state(two, two, tier=1), model)

    assert both == 2_001
    assert next_change_ms(a_state(two, None, tier=1), model) == 416
    assert next_change_ms(a_state(None, two, tier=1), model) == 831


def test_a_cap_holds_the_score_until_it_lets_go(
    a_model: MakeModel, a_signal: MakeSignal, a_state: MakeState
) -> None:
    """
    160 points under a cap of 30 fall below 15 when 160 do: a cap is no earlier decay.
    """
    free, capped = a_model(), a_model(a_signal(cap=30.0))
    state = a_state(Count(value=16.0, ref_ms=0), tier=1)

    assert next_change_ms(state, capped) == next_change_ms(state, free) == 3_416


def test_what_is_at_its_cap_stands_still(a_model: MakeModel, a_signal: MakeSignal) -> None:
    """
    20 free points at a half-life of 1 s lose 20 ln 2 a second, and capped ones nothing.
    """
    model = a_model(a_signal("free"), a_signal("capped", cap=5.0))
    two = Count(value=2.0, ref_ms=0)

    engagement, slope = curve_of((two, two), fit=0.0, prepared=prepared(model)).motion(0)

    assert engagement == 25.0
    assert slope == pytest.approx(-20 * math.log(2) / 1_000)


def test_a_cap_that_lets_go_promises_nothing(a_model: MakeModel, a_signal: MakeSignal) -> None:
    """
    A group that leaves its cap within an interval, beside a fading penalty, rises and then falls.
    """
    model = a_model(
        a_signal("visit", group="capped"),
        a_signal("bad", points=-20.0, half_life_ms=10_000),
        groups={"capped": 30.0},
    )
    counts = (Count(value=4.0, ref_ms=0), Count(value=1.0, ref_ms=0))
    curve = curve_of(counts, fit=0.0, prepared=prepared(model))

    capped, leaving = extent(curve, 0, 400), extent(curve, 0, 3_000)

    assert (capped.falls, capped.rises) == (False, True)
    assert (leaving.falls, leaving.rises) == (False, False)


def test_one_tier_never_changes(
    a_model: MakeModel, a_signal: MakeSignal, a_state: MakeState
) -> None:
    """
    A model with a single tier has no crossings, with penalties neither.
    """
    model = a_model(a_signal(points=-5.0), tiers=a_model().tiers[:1])

    assert next_change_ms(a_state(Count(value=1.0, ref_ms=0)), model) is None


def test_largest_contributions_come_first(
    a_model: MakeModel, a_signal: MakeSignal, a_state: MakeState
) -> None:
    """
    Contributions are sorted by points, then name, and those without points are left out.
    """
    model = a_model(a_signal("b"), a_signal("a"), a_signal("c", points=-1.0), a_signal("d"))
    one = Count(value=1.0, ref_ms=0)

    listed = contributions_at(a_state(one, one, one, Count(value=0.0, ref_ms=0)), model, 0)

    assert [(each.signal, each.points) for each in listed] == [("a", 10), ("b", 10), ("c", -1)]


def test_an_explanation_adds_up(
    a_model: MakeModel, a_signal: MakeSignal, a_state: MakeState
) -> None:
    """
    Signals, caps, what has decayed and what will change by then are all told.
    """
    model = a_model(
        a_signal("pricing", points=80.0, group="product"),
        a_signal("page", cap=15.0, group="product"),
        groups={"product": 45.0},
    )
    state = a_state(Count(value=1.0, ref_ms=0), Count(value=8.0, ref_ms=0), tier=1)
    state = state.replace(due_ms=next_change_ms(state, model))

    told = explain(state, model, 1_000, lead_id="lead-1")

    pricing, page = told.signals
    assert (pricing.count, pricing.points, pricing.decayed_points) == (0.5, 40.0, 40.0)
    assert (page.points, page.capped_points, page.cap) == (40.0, 15.0, 15.0)
    assert pricing.share + page.share == pytest.approx(1.0)
    assert [(one.points, one.capped_points) for one in told.groups] == [(55.0, 45.0)]
    assert told.score.total == 45.0
    assert told.tier == "warm"
    later = explain(state, model, 20_000, lead_id="lead-1")
    assert [change.to_tier for change in later.predicted] == ["cold"]
    assert (later.tier, later.seq) == ("cold", 1)
