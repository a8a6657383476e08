"""The books find every difference, and none where there is none."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from leadvelocity.books import Books, differences
from scoring.outcome import Outcome

CHANGE = ("lead", 1, "hot", 1_000, 70.0)
BALANCED = Books(
    sent=10,
    outcomes={
        Outcome.SCORED: 6,
        Outcome.UNMATCHED: 1,
        Outcome.DOUBLED: 1,
        Outcome.FORWARDED: 3,
        Outcome.DECAY: 5,
    },
    dead_lettered=2,
    topic=Counter([CHANGE]),
    clickhouse=Counter([CHANGE]),
    folded=Counter([CHANGE]),
)


def test_balanced_books_have_no_difference():
    """Forwarded records and timers are not counted a second time."""
    assert differences(BALANCED) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sent": 11}, r"\+1"),
        ({"dead_lettered": 3}, "-1"),
        ({"clickhouse": Counter()}, "in the topic, not in ClickHouse"),
        ({"clickhouse": Counter([CHANGE, CHANGE])}, "in ClickHouse, not in the topic"),
        ({"folded": Counter()}, "in the topic, not in the offline fold"),
        ({"topic": Counter()}, "in the offline fold, not in the topic"),
    ],
)
def test_each_difference_is_named(change, message):
    """Whatever differs by one is said, with the book and by how much."""
    found = differences(replace(BALANCED, **change))
    assert any(re.search(message, each) for each in found)


@pytest.mark.parametrize("changed", [(1, 2), (2, "warm"), (3, 1_001), (4, 70.00000001)])
def test_a_change_agrees_in_every_part(changed):
    """Sequence, tier, millisecond and score of a tier change must be the same."""
    at, value = changed
    other = (*CHANGE[:at], value, *CHANGE[at + 1 :])
    books = replace(BALANCED, clickhouse=Counter([other]))
    assert len(differences(books)) == 2
