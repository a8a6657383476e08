"""Laws of the fold."""

from collections.abc import Sequence
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.event import Event
from scoring.fold import fire, fold
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.score import score_at
from scoring.state import LeadState
from scoring.tier_change import TierChange
from scoring.velocity import momentum_at, velocity_at
from tests.property.scoring.histories import (
    LAST_MS,
    distinct,
    model_of,
    models,
    mostly_in_order,
)

any_models = models().map(model_of)


def folded(
    events: Sequence[Event], model: Model, state: LeadState | None = None
) -> tuple[LeadState, list[TierChange]]:
    """Fold many events."""
    changes: list[TierChange] = []
    for event in events:
        step = fold(state, event, model)
        state = step.state
        changes += step.changes
    assert state is not None
    return state, changes


def ended(
    state: LeadState, changes: list[TierChange], model: Model
) -> tuple[LeadState, list[TierChange]]:
    """Let time pass until nothing is left to decay."""
    state, cooled = fire(state, model, lead_id="lead-1", until_ms=10**9)
    return state, [*changes, *cooled]


@given(model=any_models, events=distinct.filter(bool), data=st.data())
def test_order_of_arrival_does_not_matter(
    model: Model, events: list[Event], data: st.DataObject
) -> None:
    """
    The same set of events gives the same score, velocity and momentum, in whatever order it came.
    """
    shuffled = data.draw(st.permutations(events))
    at_ms = data.draw(st.integers(LAST_MS, 2 * LAST_MS))

    one, _ = folded(events, model)
    other, _ = folded(shuffled, model)

    for value in (velocity_at, momentum_at):
        assert value(one, model, at_ms) == pytest.approx(
            value(other, model, at_ms), rel=1e-9, abs=1e-9
        )
    assert score_at(one, model, at_ms).total == pytest.approx(
        score_at(other, model, at_ms).total, rel=1e-9, abs=1e-9
    )
    assert one.profile == other.profile


@given(model=any_models, events=mostly_in_order.filter(bool), data=st.data())
def test_a_double_changes_nothing(model: Model, events: list[Event], data: st.DataObject) -> None:
    """
    An event whose id is among the last ones leaves the very same state and no change.
    """
    state, _ = folded(events, model)
    again = data.draw(st.sampled_from(events))

    step = fold(state, again, model)

    assert step.state is state
    assert (step.outcome, step.changes, step.signal) == (Outcome.DOUBLED, (), None)


@given(model=any_models, events=mostly_in_order.filter(bool), later_ms=st.integers(0, 10**15))
def test_scores_are_numbers_from_0_up(model: Model, events: list[Event], later_ms: int) -> None:
    """
    No score is ever negative, infinite or not a number, however much later.
    """
    state, changes = folded(events, model)
    score = score_at(state, model, state.as_of_ms + later_ms)

    for total in (score.total, *(change.score.total for change in changes)):
        assert isfinite(total)
        assert total >= 0
    assert all(isfinite(change.momentum) for change in changes)


@given(
    model=any_models,
    events=mostly_in_order.filter(lambda each: len(each) > 1),
    split=st.integers(0, 24),
)
def test_a_history_can_be_split(model: Model, events: list[Event], split: int) -> None:
    """
    Folding the second half onto the state of the first is folding the whole.
    """
    split = 1 + split % (len(events) - 1)

    half, first_changes = folded(events[:split], model)
    parts, second_changes = folded(events[split:], model, half)

    assert (parts, first_changes + second_changes) == folded(events, model)


@given(model=any_models, events=mostly_in_order.filter(bool), data=st.data())
def test_timers_only_show_what_is_so_already(
    model: Model, events: list[Event], data: st.DataObject
) -> None:
    """
    Timers fired at any times before the next event change nothing of what there is in the end.
    """
    state: LeadState | None = None
    changes: list[TierChange] = []
    for event in events:
        if state is not None:
            until_ms = data.draw(st.integers(-100, event.occurred_at_ms - 1))
            state, cooled = fire(state, model, lead_id=event.lead_id, until_ms=until_ms)
            changes += cooled
        step = fold(state, event, model)
        state = step.state
        changes += step.changes

    assert state is not None
    assert ended(state, changes, model) == ended(*folded(events, model), model)


@given(model=any_models, events=mostly_in_order.filter(bool))
def test_changes_follow_each_other(model: Model, events: list[Event]) -> None:
    """
    Numbers have no gap; each change leaves the tier that the one before entered, not earlier.
    """
    _, changes = ended(*folded(events, model), model)

    rank = 0
    since_ms: int | None = None
    for number, change in enumerate(changes, start=1):
        assert change.seq == number
        assert change.from_rank == rank != change.to_rank
        assert model.tiers[change.to_rank].name == change.to_tier
        if since_ms is not None:
            assert change.occurred_at_ms - since_ms == change.dwell_ms >= 0
        rank, since_ms = change.to_rank, change.occurred_at_ms


@settings(max_examples=200)
@given(model=any_models, events=mostly_in_order.filter(bool))
def test_the_tier_agrees_with_the_score(model: Model, events: list[Event]) -> None:
    """
    After each event the score is below every higher `enter`, and not below `exit` but for dwell.
    """
    state = None
    for event in events:
        state = fold(state, event, model).state
        score = score_at(state, model, state.as_of_ms).total
        tier = model.tiers[state.tier]
        assert all(score < higher.enter for higher in model.tiers[state.tier + 1 :])
        assert score >= tier.exit or state.as_of_ms < state.since_ms + tier.dwell_ms
