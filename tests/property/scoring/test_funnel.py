"""Laws of the partials that add up to velocity over all leads."""

from functools import reduce
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.dwell import RELATIVE_ERROR, Buckets, bucket_index, bucket_ms, merged, quantile
from scoring.funnel import Move, Partial, Passage, Place, Window, added, apply

dwell_ms = st.integers(0, 3 * 10**12) | st.integers(0, 2_000)
buckets = st.dictionaries(st.integers(-1, 1_600), st.integers(1, 100), max_size=12)
TIERS = ("cold", "warm", "hot")


def buckets_of(times: list[int]) -> Buckets:
    """Put times into buckets."""
    return reduce(merged, ({bucket_index(one): 1} for one in times))


@st.composite
def moves(draw: st.DrawFn) -> Move:
    """Moves within three hours around midnight."""
    before, after = draw(st.permutations(range(3)))[:2]
    passage = Passage(before, after, TIERS[before], TIERS[after])
    return Move(passage, draw(st.integers(-5_400_000, 5_400_000)), draw(dwell_ms))


def counted(made: list[Move], part: int = 0) -> dict[Place, Partial]:
    """Apply many moves."""
    partials: dict[Place, Partial] = {}
    for move in made:
        touched = apply(partials, move, hot_leads=0, part=part)
        partials.update({partial.place: partial for partial in touched})
    return partials


@given(times=st.lists(dwell_ms, min_size=1, max_size=200), q=st.floats(0, 1))
def test_quantiles_are_within_one_per_cent(times: list[int], q: float) -> None:
    """
    A quantile from buckets is within 1 % of the one from the sorted times.
    """
    exact = sorted(times)[floor(q * (len(times) - 1))]

    assert quantile(buckets_of(times), q) == pytest.approx(exact, rel=RELATIVE_ERROR + 1e-9)


@given(time_ms=st.integers(1, 3 * 10**13))
def test_a_time_is_near_what_stands_for_its_bucket(time_ms: int) -> None:
    """
    From a millisecond to a thousand years, the time that stands for a bucket is within 1 %.
    """
    assert bucket_ms(bucket_index(time_ms)) == pytest.approx(time_ms, rel=RELATIVE_ERROR + 1e-9)


@given(one=buckets, two=buckets, three=buckets)
def test_buckets_add_up_in_any_order(one: Buckets, two: Buckets, three: Buckets) -> None:
    """
    Merging buckets is commutative and associative, and nothing is its neutral element.
    """
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(one, {}) == one


@given(made=st.lists(moves(), max_size=20), data=st.data())
def test_partials_do_not_depend_on_order(made: list[Move], data: st.DataObject) -> None:
    """
    The same moves in another order give the same partials.
    """
    shuffled = data.draw(st.permutations(made))

    assert counted(made) == counted(shuffled)


@given(made=st.lists(moves(), max_size=20), split=st.integers(0, 20))
def test_parts_add_up_to_the_whole(made: list[Move], split: int) -> None:
    """
    A window that was forgotten and begun again as another part adds up to the same transitions.
    """
    whole = counted(made)
    first, second = counted(made[:split], part=1), counted(made[split:], part=2)

    for place, partial in whole.items():
        parts = [part[place] for part in (first, second) if place in part]
        assert added(part.transitions for part in parts) == partial.transitions
        assert sum(part.version for part in parts) == partial.version


@given(made=st.lists(moves(), max_size=20))
def test_each_window_counts_each_change_once(made: list[Move]) -> None:
    """
    Minutes, hours and days each count every change once, with all its time.
    """
    partials = counted(made).values()

    for window in Window:
        transitions = [
            one
            for partial in partials
            if partial.place.window is window
            for one in partial.transitions.values()
        ]
        assert sum(one.count for one in transitions) == len(made)
        assert sum(one.dwell_ms_sum for one in transitions) == sum(one.dwell_ms for one in made)
        assert all(sum(one.dwells.values()) == one.count for one in transitions)
