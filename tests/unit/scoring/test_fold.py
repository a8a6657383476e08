"""The fold, by examples one can check in one's head."""

from collections.abc import Iterable

import pytest

from scoring.condition import fields_match
from scoring.event import EventType
from scoring.fold import fire, fold
from scoring.model import FitRule
from scoring.outcome import Outcome
from scoring.recent_ids import digest, recent_ids_of
from scoring.score import score_at
from scoring.state import Count
from scoring.tier_change import Contribution, Reason, TierChange
from tests.unit.scoring.makers import FoldAll, MakeEvent, MakeModel, MakeSignal, Retune


def story(changes: Iterable[TierChange]) -> list[tuple[str, str, str, int]]:
    """Return changes as (from, to, reason, time)."""
    return [
        (change.from_tier, change.to_tier, change.reason.value, change.occurred_at_ms)
        for change in changes
    ]


def test_a_lead_starts_in_the_lowest_tier_silently(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    A first event below every threshold makes a lead, and no change.
    """
    state, changes = fold_all(a_model(), an_event(500))

    assert changes == []
    assert (state.tier, state.since_ms, state.as_of_ms, state.seq) == (0, 500, 500, 0)
    assert state.counts == (Count(value=1.0, ref_ms=500),)


def test_counts_halve_each_half_life(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    After one half-life an event counts half, and a new one counts one.
    """
    state, _ = fold_all(a_model(), an_event(0), an_event(1_000))

    assert state.counts == (Count(value=1.5, ref_ms=1_000),)


def test_one_event_makes_at_most_one_change(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    From cold straight to hot is one change, told in full.
    """
    model = a_model(a_signal(points=60.0))

    state, [change] = fold_all(model, an_event(7, event_id="e"))

    assert story([change]) == [("cold", "hot", "event", 7)]
    assert (change.seq, change.dwell_ms, change.trigger_event_id) == (1, 0, "e")
    assert (change.from_rank, change.to_rank) == (0, 2)
    assert change.score.total == change.score.engagement == 60.0
    assert change.contributions == (Contribution(signal="visit", count=1.0, points=60.0),)
    assert change.cools_at_ms == state.due_ms


def test_reaching_enter_is_enough(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    Two events of 10 points at once reach warm's threshold of exactly 20.
    """
    _, changes = fold_all(a_model(), an_event(0), an_event(0))

    assert story(changes) == [("cold", "warm", "event", 0)]


def test_falls_have_their_own_times(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    80 points fall below 40 just after one half-life, and the next event says so first.
    """
    model = a_model(a_signal(points=80.0))

    state, changes = fold_all(model, an_event(0), an_event(10_000))

    assert story(changes) == [
        ("cold", "hot", "event", 0),
        ("hot", "warm", "decay", 1_001),  # 40.0 at 1,000 is not below 40
        ("warm", "cold", "decay", 2_416),  # 80 * 2 ** -2.415 is 15.0005, then 14.99
        ("cold", "hot", "event", 10_000),
    ]
    assert [change.seq for change in changes] == [1, 2, 3, 4]
    assert changes[2].dwell_ms == 2_416 - 1_001
    assert changes[1].trigger_event_id is None
    assert state.seq == 4


def test_an_event_at_the_moment_of_a_fall_comes_first(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    Only changes due strictly before an event are made before it.
    """
    model = a_model(a_signal(points=80.0))

    _, changes = fold_all(model, an_event(0), an_event(1_001))

    assert story(changes) == [("cold", "hot", "event", 0)]


def test_a_late_event_counts_decayed_and_is_judged_now(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    An event a half-life late adds half its points, and the change happens at the lead's time.
    """
    state, changes = fold_all(a_model(), an_event(1_000), an_event(0), an_event(0))

    assert state.counts == (Count(value=2.0, ref_ms=1_000),)
    assert state.as_of_ms == 1_000
    assert story(changes) == [("cold", "warm", "late_event", 1_000)]
    assert changes[0].trigger_event_id == "event-3"


def test_a_double_is_known_while_its_id_is_remembered(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    The last ids are remembered, as many as the model says, and older ones are not.
    """
    model = a_model(recent_ids_max=2)
    state, _ = fold_all(model, *(an_event(0, event_id=name) for name in "abc"))

    assert state.recent_ids == recent_ids_of("bc")
    assert fold(state, an_event(9, event_id="b"), model).outcome is Outcome.DOUBLED
    assert fold(state, an_event(9, event_id="a"), model).outcome is Outcome.SCORED


def test_an_unmatched_event_moves_time_and_profile(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    What no signal takes is remembered by id, moves the lead's time and merges its answers.
    """
    model = a_model(fit=[({"country": "US"}, 25.0)])
    fill = an_event(50, on=EventType.FORM_FILL, profile={"country": "US"})

    step = fold(None, fill, model)

    assert (step.outcome, step.signal, step.points) == (Outcome.UNMATCHED, None, 0.0)
    assert step.state.as_of_ms == 50
    assert step.state.recent_ids == digest(fill.event_id)
    assert story(step.changes) == [("cold", "warm", "event", 50)]
    assert step.changes[0].score.fit == 25.0


def test_a_form_is_classified_with_its_own_answers(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent
) -> None:
    """
    A rule on the profile sees what the form fill itself tells.
    """
    model = a_model(a_signal(on=EventType.FORM_FILL, when={"profile.country": "US"}))

    step = fold(None, an_event(on=EventType.FORM_FILL, profile={"country": "US"}), model)

    assert step.signal == "visit"


def test_a_machine_counts_less(a_model: MakeModel, an_event: MakeEvent) -> None:
    """
    A machine's event has the model's weight; one by a person or by nobody knows whom has all.
    """
    model = a_model()

    steps = [fold(None, an_event(machine=machine), model) for machine in (True, False, None)]

    assert [(step.weight, step.points) for step in steps] == [(0.5, 5.0), (1.0, 10.0), (1.0, 10.0)]


def test_dwell_delays_a_fall_by_time(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    A fall due after 1,001 ms waits until the dwell of 5,000 ms has passed, and skips what it must.
    """
    model = a_model(a_signal(points=80.0), dwell_ms=5_000)
    state, _ = fold_all(model, an_event(0))

    _, changes = fire(state, model, lead_id="lead-1", until_ms=100_000)

    assert story(changes) == [("hot", "cold", "decay", 5_000)]


def test_dwell_delays_a_fall_by_an_event(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    A penalty makes a lead fall only once the dwell has passed.
    """
    model = a_model(
        a_signal(points=60.0, half_life_ms=10**9),
        a_signal("bad", on=EventType.EMAIL_OPEN, points=-50.0, half_life_ms=10**9),
        dwell_ms=5_000,
    )
    bad = an_event(10, on=EventType.EMAIL_OPEN)

    state, changes = fold_all(model, an_event(0), bad)

    assert story(changes) == [("cold", "hot", "event", 0)]
    assert state.due_ms == 5_000


def test_a_decaying_penalty_lifts_a_lead(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    When a penalty fades, the score rises by time alone, and so does the tier.
    """
    model = a_model(
        a_signal(points=30.0, half_life_ms=10**9),
        a_signal("bad", on=EventType.EMAIL_OPEN, points=-40.0, half_life_ms=1_000),
    )
    state, _ = fold_all(model, an_event(0, on=EventType.EMAIL_OPEN), an_event(0))

    _, [change, *_] = fire(state, model, lead_id="lead-1", until_ms=100_000)

    assert story([change]) == [("cold", "warm", "decay", 2_001)]  # 30 less 10: a trace below 20
    assert change.score.total >= 20.0


def test_timers_fire_what_is_due_and_no_more(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    Firing includes the moment itself; before it, the very same state comes back.
    """
    model = a_model(a_signal(points=80.0))
    state, _ = fold_all(model, an_event(0))

    early, none = fire(state, model, lead_id="lead-1", until_ms=1_000)
    due, one = fire(state, model, lead_id="lead-1", until_ms=1_001)

    assert early is state
    assert none == ()
    assert story(one) == [("hot", "warm", "decay", 1_001)]
    assert (due.tier, due.since_ms, due.as_of_ms, due.seq) == (1, 1_001, 1_001, 2)


def test_fit_holds_a_tier_for_ever(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    A lead whose fit alone is above `exit` never cools.
    """
    model = a_model(fit=[({"country": "US"}, 15.0)])
    fill = an_event(0, on=EventType.FORM_FILL, profile={"country": "US"})

    state, changes = fold_all(model, fill, an_event(0))

    assert story(changes) == [("cold", "warm", "event", 0)]
    assert state.due_ms is None


def test_another_model_judges_at_the_next_event(
    a_model: MakeModel,
    a_signal: MakeSignal,
    an_event: MakeEvent,
    fold_all: FoldAll,
    retuned: Retune,
) -> None:
    """
    Under new points nothing has decayed before the event, and the change is the model's doing.
    """
    model = a_model(a_signal(points=80.0))
    state, _ = fold_all(model, an_event(0))

    step = fold(state, an_event(3_000), retuned(model, signals=(a_signal(points=8.0),)))

    assert story(step.changes) == [("hot", "cold", "model_change", 3_000)]
    assert step.changes[0].trigger_event_id is None
    assert step.state.model_version == "v1+"


def test_another_model_judges_at_the_stored_moment(
    a_model: MakeModel,
    a_signal: MakeSignal,
    an_event: MakeEvent,
    fold_all: FoldAll,
    retuned: Retune,
) -> None:
    """
    A timer set under the old model judges by the new one, then goes on as usual.
    """
    model = a_model(a_signal(points=80.0))
    state, _ = fold_all(model, an_event(0))
    richer = retuned(model, signals=(a_signal(points=100.0),))

    same, none = fire(state, richer, lead_id="lead-1", until_ms=1_001)
    _, [cooled] = fire(state, richer, lead_id="lead-1", until_ms=1_400)

    assert none == ()
    assert (same.as_of_ms, same.model_version, same.due_ms) == (1_001, "v1+", 1_322)
    assert story([cooled]) == [("hot", "warm", "decay", 1_322)]


def test_a_new_fit_rule_is_no_decay(
    a_model: MakeModel, an_event: MakeEvent, fold_all: FoldAll, retuned: Retune
) -> None:
    """
    A change at the stored moment that a new model made is told as the model's.
    """
    model = a_model()
    state, _ = fold_all(model, an_event(0), an_event(0))
    strict = retuned(
        model, fit=(FitRule(when=fields_match({"country": "US"}), points=5.0),), name="strict"
    )

    _, [change] = fire(state, strict, lead_id="lead-1", until_ms=10_000)

    assert change.reason is Reason.MODEL_CHANGE
    assert (change.model, change.model_version) == ("strict", "v1+")


def test_caps_bind_signal_then_group(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent, fold_all: FoldAll
) -> None:
    """
    Three opens give their cap of 15, four visits 40, and their group 45 of those 55.
    """
    model = a_model(
        a_signal("visit", group="all"),
        a_signal("open", on=EventType.EMAIL_OPEN, cap=15.0, group="all"),
        groups={"all": 45.0},
    )
    events = [an_event(0) for _ in range(4)]
    events += [an_event(0, on=EventType.EMAIL_OPEN) for _ in range(3)]

    state, changes = fold_all(model, *events)

    assert score_at(state, model, 0).total == 45.0
    assert changes[-1].contributions[0] == Contribution(signal="visit", count=2.0, points=20.0)
    with pytest.raises(ValueError, match="replay until then"):
        score_at(state, model, -1)
