"""Our fold against one that was written from the rules alone."""

from typing import Any

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from scoring.event import Event
from scoring.fold import fire, fold
from scoring.score import score_at
from scoring.state import LeadState
from scoring.tier_change import TierChange
from tests.property.scoring.histories import (
    LAST_MS,
    Data,
    judging,
    model_of,
    models,
    mostly_in_order,
)
from tests.property.scoring.oracle import Oracle, TooClose

END_MS = LAST_MS + 1_500

History = list[tuple[Data, Event]]
"""Each event with the model that is in force when it comes."""


def told(change: TierChange) -> dict[str, Any]:
    """Return a change as the oracle tells it."""
    return {
        "seq": change.seq,
        "from": change.from_tier,
        "to": change.to_tier,
        "reason": change.reason.value,
        "at": change.occurred_at_ms,
        "dwell": change.dwell_ms,
        "trigger": change.trigger_event_id,
        "score": pytest.approx(change.score.total, rel=1e-9, abs=1e-9),
    }


def told_by_oracle(history: History) -> tuple[list[dict[str, Any]], float]:
    """Fold (model data, event) pairs the slow way; where rounding decides, try another history."""
    oracle = Oracle(history[0][0])
    try:
        for data, event in history:
            oracle.model = data
            oracle.event(event)
        oracle.pass_time(END_MS)
        return oracle.changes, oracle.score(END_MS)
    except TooClose:
        reject()


def told_by_fold(history: History) -> tuple[list[dict[str, Any]], float]:
    """Fold the same pairs with ours."""
    state: LeadState | None = None
    changes: list[TierChange] = []
    model_by_name = {data["model"]: model_of(data) for data, _ in history}
    for data, event in history:
        model = model_by_name[data["model"]]
        folded = fold(state, event, model)
        state = folded.state
        changes += folded.changes
    assert state is not None
    state, cooled = fire(state, model, lead_id="lead-1", until_ms=END_MS)
    return [told(change) for change in (*changes, *cooled)], score_at(state, model, END_MS).total


@settings(max_examples=150)
@given(data=models(), events=mostly_in_order.filter(bool))
def test_same_changes_as_the_rules(data: Data, events: list[Event]) -> None:
    """
    Tier changes, their times to the millisecond and scores to 1e-9 are those of the exact rules.
    """
    history = [(data, event) for event in events]

    expected, expected_score = told_by_oracle(history)

    changes, score = told_by_fold(history)
    assert changes == expected
    assert score == pytest.approx(expected_score, rel=1e-9, abs=1e-9)


@settings(max_examples=60)
@given(
    data=models(name="first"),
    retuned=judging(),
    events=mostly_in_order.filter(bool),
    share=st.floats(0, 1),
)
def test_same_changes_under_another_model(
    data: Data, retuned: Data, events: list[Event], share: float
) -> None:
    """
    A lead is judged anew at its next event when thresholds, caps or fit changed, as the rules say.
    """
    retuned = {**data, **retuned, "model": "second", "machine": data["machine"]}
    at = int(share * len(events))
    history = [(data if place <= at else retuned, event) for place, event in enumerate(events)]
    last_id = events[-1].event_id
    assume(history[-1][0] is data or last_id not in {event.event_id for event in events[:-1]})

    expected, expected_score = told_by_oracle(history)

    changes, score = told_by_fold(history)
    assert changes == expected
    assert score == pytest.approx(expected_score, rel=1e-9, abs=1e-9)
