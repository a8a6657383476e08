"""Velocity over all leads, by examples."""

from scoring.dwell import bucket_index, bucket_ms, quantile
from scoring.funnel import Move, Passage, Place, Window, apply, closed, hot_leads_after

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


INTO_HOT = Passage(from_rank=0, to_rank=2, from_tier="cold", to_tier="hot")


def a_move(at_ms: int, *, dwell_ms: int = 0) -> Move:
    """Move from cold to hot."""
    return Move(INTO_HOT, at_ms, dwell_ms)


def test_a_change_counts_in_three_windows() -> None:
    """
    One change touches its minute, hour and day, each from its start in UTC.
    """
    touched = apply({}, a_move(DAY_MS + HOUR_MS + 61_000), hot_leads=1, part=7)

    assert [partial.place for partial in touched] == [
        Place(Window.MINUTE, DAY_MS + HOUR_MS + MINUTE_MS),
        Place(Window.HOUR, DAY_MS + HOUR_MS),
        Place(Window.DAY, DAY_MS),
    ]
    assert {(one.part, one.version, one.hot_leads) for one in touched} == {(7, 1, 1)}


def test_a_partial_grows_by_versions() -> None:
    """
    A second change makes version 2 of the same part, and the first version stays as it was.
    """
    first = {one.place: one for one in apply({}, a_move(5, dwell_ms=100), hot_leads=1, part=7)}

    second = apply(first, a_move(6, dwell_ms=300), hot_leads=2, part=8)

    assert {(one.part, one.version, one.hot_leads) for one in second} == {(7, 2, 2)}
    assert second[0].transitions[INTO_HOT].count == 2
    assert second[0].transitions[INTO_HOT].dwell_ms_sum == 400
    assert first[second[0].place].transitions[INTO_HOT].count == 1


def test_a_window_that_ended_can_be_forgotten() -> None:
    """
    A window is over at its end, not a millisecond before.
    """
    touched = apply({}, a_move(0), hot_leads=0, part=0)

    assert closed(touched, before_ms=HOUR_MS - 1) == (Place(Window.MINUTE, 0),)
    assert closed(touched, before_ms=HOUR_MS) == (Place(Window.MINUTE, 0), Place(Window.HOUR, 0))


def test_hot_leads_are_counted_by_their_changes() -> None:
    """
    Entering the highest tier adds one, leaving it takes one away, the rest does nothing.
    """
    into_hot = a_move(0)
    out_of_hot = into_hot.replace(passage=Passage(2, 0, "hot", "cold"))
    below = into_hot.replace(passage=Passage(0, 1, "cold", "warm"))

    assert hot_leads_after(3, into_hot, top_rank=2) == 4
    assert hot_leads_after(3, out_of_hot, top_rank=2) == 2
    assert hot_leads_after(3, below, top_rank=2) == 3


def test_quantiles_of_few_times() -> None:
    """
    No time has no quantile; zero is exactly zero; a millisecond is in the first bucket.
    """
    assert quantile({}, 0.5) is None
    assert quantile({bucket_index(0): 3}, 0.99) == 0.0
    assert bucket_index(1) == 0
    assert bucket_ms(bucket_index(0)) == 0.0
