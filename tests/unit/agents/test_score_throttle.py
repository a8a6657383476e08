"""What the throttle of `lead-scores` promises."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from agents.score_throttle import INTERVAL_MS, ScoreThrottle
from schemas.topics import LEAD_SCORES
from tests.unit.agents.makers import (
    NOW_MS,
    Scoring,
    an_event,
    decoded,
    record_of,
    scoring_context,
)

LEADS = [b"ada", b"bob", b"cyd"]
some_leads = st.sets(st.sampled_from(LEADS))
commits = st.lists(st.tuples(st.integers(0, 700), some_leads, some_leads), max_size=30)


@given(commits)
def test_each_lead_at_most_once_a_second_and_the_last_score_always(
    story: list[tuple[int, set[bytes], set[bytes]]],
) -> None:
    """
    Scores of a lead lie a second apart but for tier changes, and none is owed in the end.
    """
    throttle = ScoreThrottle()
    now_ms = 0
    published: defaultdict[bytes, list[int]] = defaultdict(list)
    changed_last: dict[bytes, int] = {}
    for wait_ms, changed, promoted in [*story, (INTERVAL_MS, set(), set())]:
        now_ms += wait_ms
        changed_last |= dict.fromkeys(changed, now_ms)
        for key in throttle.take(sorted(changed), promoted & changed, now_ms=now_ms):
            if published[key] and key not in promoted & changed:
                assert now_ms - published[key][-1] >= INTERVAL_MS
            published[key].append(now_ms)
        assert promoted & changed <= {key for key in LEADS if published[key][-1:] == [now_ms]}

    assert throttle.next_due_ms() is None
    assert all(published[key][-1] >= at_ms for key, at_ms in changed_last.items())


@given(commits)
def test_what_is_owed_outlives_the_worker(
    story: list[tuple[int, set[bytes], set[bytes]]],
) -> None:
    """
    Who goes on from the last news publishes the score of each lead that waited.
    """
    throttle = ScoreThrottle()
    now_ms = 0
    written: list[bytes] = []
    owed: set[bytes] = set()
    for wait_ms, changed, promoted in story:
        now_ms += wait_ms
        owed |= changed
        owed -= set(throttle.take(sorted(changed), promoted & changed, now_ms=now_ms))
        if (news := throttle.news()) is not None:
            written = news

    assert set(written) == owed
    assert set(ScoreThrottle(written).take((), set(), now_ms=now_ms)) == owed


def test_who_was_published_long_ago_is_forgotten() -> None:
    """
    Of leads whose score was published more than a second ago nothing is kept.
    """
    throttle = ScoreThrottle()
    for number in range(20):
        throttle.take([b"lead-%d" % number], set(), now_ms=number * INTERVAL_MS // 2)
    assert list(throttle._published_ms) == [b"lead-18", b"lead-19"]


def test_a_second_score_waits_and_comes_without_another_event() -> None:
    """
    A lead's second event within a second has its score published by the timer, with its state.
    """
    scoring = Scoring()
    first = scoring.outputs(scoring.fold(record_of(an_event(1))), LEAD_SCORES)
    second = scoring.outputs(scoring.fold(record_of(an_event(2), offset=1)), LEAD_SCORES)

    assert (len(first), second) == (1, [])
    again = Scoring(store=scoring.store)
    next_ms = again.agent.next_timer_ms()
    assert next_ms is not None
    assert next_ms < NOW_MS
    assert again.agent.fire(until_ms=NOW_MS - 60_000, now_ms=NOW_MS + INTERVAL_MS) == 1
    [owed] = [each for each in again.commit().outputs if each.topic == LEAD_SCORES]
    assert decoded(owed.value, LEAD_SCORES)["as_of"] == an_event(2).occurred_at_ms
    assert again.agent.next_timer_ms() != next_ms


def test_topics_can_be_left_out() -> None:
    """
    Without scored-events and lead-scores the tier changes and the states are the same.
    """
    whole, lean = Scoring(), Scoring(scoring_context(scored_events=False, lead_scores=False))
    records = [record_of(an_event(number, profile={}), offset=number) for number in range(3)]
    both = [each.fold(*records) for each in (whole, lean)]

    kept = [[each for each in effects.outputs if each.topic == "tier-changes"] for effects in both]
    assert kept[0] == kept[1] != []
    assert {each.topic for each in both[1].outputs} == {"tier-changes"}
    assert both[0].state == both[1].state


def test_who_writes_no_scores_leaves_those_that_are_owed() -> None:
    """
    With lead-scores switched off no timer waits for an owed score; switched on again it comes.
    """
    scoring = Scoring()
    scoring.fold(record_of(an_event(1)))
    scoring.fold(record_of(an_event(2), offset=1))

    without = Scoring(scoring_context(lead_scores=False), store=scoring.store)
    assert without.agent.fire(until_ms=0, now_ms=NOW_MS + INTERVAL_MS) == 0
    without.commit()

    again = Scoring(store=scoring.store)
    assert again.agent.fire(until_ms=0, now_ms=NOW_MS + INTERVAL_MS) == 1
    assert [each.key for each in again.commit().outputs if each.topic == LEAD_SCORES] == [b"ada"]
