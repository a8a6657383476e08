"""Counting identical things."""

from sources.occurrences import Occurrences


def test_each_name_counts_by_itself() -> None:
    """The n-th time a name comes it is number n, whatever comes between."""
    occurrences = Occurrences()
    assert [occurrences.number_of(name) for name in "abacab"] == [1, 1, 2, 1, 3, 2]


def test_memory_is_bounded() -> None:
    """No more names are kept than the limit; the one that rested longest is forgotten first."""
    occurrences = Occurrences(remembered_max=2)
    assert [occurrences.number_of(name) for name in "abacab"] == [1, 1, 2, 1, 3, 1]
    assert len(occurrences) == 2
