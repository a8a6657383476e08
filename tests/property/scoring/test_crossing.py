"""The predicted crossing is the first one, to the millisecond."""

from itertools import pairwise
from math import inf

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scoring.crossing import next_change_ms
from scoring.curve import curve_of
from scoring.extent import extent
from scoring.model import Model
from scoring.prepared import prepared
from scoring.score import score_at
from scoring.state import Count, LeadState, ProfileField
from scoring.tiers import judged
from tests.property.scoring.histories import model_of, models

AS_OF_MS = 1_700_000_000_000
DAY_MS = 86_400_000

long_half_lives = st.sampled_from(["30m", "8h", "2d", "7d", "30d", "45d"])
short_models = models().map(model_of)
long_models = models(half_lives=long_half_lives).map(model_of)
gentle_models = models(half_lives=long_half_lives, penalties=False).map(model_of)


@st.composite
def judged_states(draw: st.DrawFn, model: Model, *, age_ms: int = 40 * DAY_MS) -> LeadState:
    """States with any counts, in any tier that the score allows."""
    counts = tuple(
        draw(
            st.none()
            | st.builds(
                Count,
                value=st.floats(0, 12),
                ref_ms=st.integers(AS_OF_MS - age_ms, AS_OF_MS),
            )
        )
        for _ in model.signals
    )
    country = ProfileField(name="country", value=draw(st.sampled_from(["US", "FR"])), at_ms=0)
    size = ProfileField(name="size", value=draw(st.sampled_from([250, 20])), at_ms=0)
    since_ms = AS_OF_MS - draw(st.sampled_from([0, 3, 39, 45, 2_000]))
    rank = draw(st.integers(0, len(model.tiers) - 1))
    state = LeadState(
        counts=counts,
        fast=0.0,
        slow=0.0,
        points_ref_ms=AS_OF_MS,
        profile=(country, size),
        recent_ids=b"",
        tier=rank,
        since_ms=since_ms,
        as_of_ms=AS_OF_MS,
        seq=0,
        ceiling=inf,
        due_ms=None,
        model_version=model.version,
    )
    assume(not changes(state, model, AS_OF_MS))
    return state


def changes(state: LeadState, model: Model, at_ms: int) -> bool:
    """Whether a state's tier, as it is, would be another at a moment."""
    total = score_at(state, model, at_ms).total
    held_ms = at_ms - state.since_ms
    return judged(model.tiers, rank=state.tier, score=total, held_ms=held_ms) != state.tier


@settings(max_examples=150)
@given(data=st.data(), model=short_models)
def test_first_of_all_milliseconds(data: st.DataObject, model: Model) -> None:
    """
    With half-lives of milliseconds, no millisecond before the predicted one changes the tier.
    """
    state = data.draw(judged_states(model, age_ms=500))

    predicted_ms = next_change_ms(state, model)

    end_ms = AS_OF_MS + 4_000 if predicted_ms is None else predicted_ms
    assert not any(changes(state, model, at_ms) for at_ms in range(AS_OF_MS + 1, end_ms))
    assert predicted_ms is None or changes(state, model, predicted_ms)


@settings(max_examples=300)
@given(data=st.data(), model=long_models | gentle_models)
def test_first_under_dense_sampling(data: st.DataObject, model: Model) -> None:
    """
    With half-lives of hours to weeks, caps, penalties, fit and dwell, no sample before the
    predicted millisecond changes the tier, nor does the one just before; the predicted does.
    """
    state = data.draw(judged_states(model))

    predicted_ms = next_change_ms(state, model)

    end_ms = AS_OF_MS + 1_000 * DAY_MS if predicted_ms is None else predicted_ms
    span_ms = end_ms - AS_OF_MS
    offsets = {span_ms * step // 300 for step in range(300)}
    offsets |= {int(span_ms ** (step / 100)) for step in range(100)}
    before = sorted(at for at in offsets | {span_ms - 1, span_ms - 2} if 0 < at < span_ms)
    assert not any(changes(state, model, AS_OF_MS + at) for at in before)
    assert predicted_ms is None or changes(state, model, predicted_ms)


@settings(max_examples=200)
@given(
    data=st.data(),
    model=long_models,
    low_ms=st.integers(0, 90 * DAY_MS),
    span_ms=st.integers(40, 90 * DAY_MS),
)
def test_bounds_hold(data: st.DataObject, model: Model, low_ms: int, span_ms: int) -> None:
    """
    On an interval the score stays between its bounds, and falls or rises when they say so.
    """
    state = data.draw(judged_states(model))
    curve = curve_of(state.counts, fit=0.0, prepared=prepared(model))
    low_ms += AS_OF_MS

    bounds = extent(curve, low_ms, low_ms + span_ms)

    moments = [low_ms + span_ms * step // 40 for step in range(41)]
    values = [curve.engagement(at_ms) for at_ms in moments]
    assert all(bounds.least <= value <= bounds.most for value in values)
    steps = [later - sooner for sooner, later in pairwise(values)]
    assert not bounds.falls or all(step < 0 for step in steps)
    assert not bounds.rises or all(step > 0 for step in steps)


@settings(max_examples=200)
@given(data=st.data(), model=long_models, later_ms=st.integers(0, 300 * DAY_MS))
def test_one_scoring_function(data: st.DataObject, model: Model, later_ms: int) -> None:
    """
    What the search for crossings computes is the score itself, to the last bit.
    """
    state = data.draw(judged_states(model))
    layout = prepared(model)
    curve = curve_of(state.counts, fit=layout.fit(state.profile), prepared=layout)

    engagement, slope = curve.motion(AS_OF_MS + later_ms)

    score = score_at(state, model, AS_OF_MS + later_ms)
    assert engagement == score.engagement
    assert curve.total(engagement) == score.total
    assert -inf < slope < inf
