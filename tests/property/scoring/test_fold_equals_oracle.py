"""Our fold against one that was written from the rules alone."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scoring.fold import fire, fold
from scoring.score import score_at
from tests.property.scoring.histories import LAST_MS, judging, model_of, models, mostly_in_order
from tests.property.scoring.oracle import Oracle, TooClose

END_MS = LAST_MS + 1_500


def told(change):
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


def told_by_oracle(history, upto_ms=END_MS):
    """Fold (model data, event) pairs the slow way; where rounding decides, try another history."""
    oracle = Oracle(history[0][0])
    try:
        for data, event in history:
            oracle.model = data
            oracle.event(event)
        oracle.pass_time(upto_ms)
        return oracle.changes, oracle.score(END_MS)
    except TooClose:
        assume(False)


def told_by_fold(history, upto_ms=END_MS):
    """Fold the same pairs with ours."""
    state, changes = None, []
    model_by_name = {data["model"]: model_of(data) for data, _ in history}
    for data, event in history:
        model = model_by_name[data["model"]]
        folded = fold(state, event, model)
        state = folded.state
        changes += folded.changes
    state, cooled = fire(state, model, lead_id="lead-1", until_ms=upto_ms)
    return [told(change) for change in (*changes, *cooled)], score_at(state, model, END_MS).total


@settings(max_examples=150, deadline=None)
@given(data=models(), events=mostly_in_order.filter(bool))
def test_same_changes_as_the_rules(data, events):
    """
    Tier changes, their times to the millisecond and scores to 1e-9 are those of the exact rules.
    """
    history = [(data, event) for event in events]

    expected, expected_score = told_by_oracle(history)

    changes, score = told_by_fold(history)
    assert changes == expected
    assert score == pytest.approx(expected_score, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    data=models(name="first"),
    retuned=judging(),
    events=mostly_in_order.filter(bool),
    share=st.floats(0, 1),
)
def test_same_changes_under_another_model(data, retuned, events, share):
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
