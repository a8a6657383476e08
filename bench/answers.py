"""What an engine must have found out, whatever the order in which it merged the topics.

Tiers only rise within a run, and each rise is decided by the score after it (see README.md): so the
tiers that each lead came to, and its last score, are the same in any order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bench.peers.fold import TIERS, WEIGHTS, Lead, new_lead
from bench.workload import Sent

SCORE_ERROR_MAX = 1e-9
"""Relative; sums in another order differ in their last digits."""

SHOWN = 3

T = TypeVar("T")


class WrongAnswer(Exception):
    """An engine was fast, but wrong."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A lead's score at a time, UTC epoch milliseconds."""

    score: float
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is known at the end.

    Parameters
    ----------
    rises : mapping of str to tuple of str
        The tiers that a lead came to, in order; leads that came to none are left out.
    standings : mapping of str to Standing
    """

    rises: Mapping[str, tuple[str, ...]]
    standings: Mapping[str, Standing]


@dataclass(slots=True)
class Reference:
    """Folds the events as they are sent."""

    _leads: dict[str, Lead] = field(default_factory=dict)
    _rises: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, sent: Sent) -> None:
        """Fold an event."""
        lead = self._leads.get(sent.lead_id)
        if lead is None:
            lead = self._leads[sent.lead_id] = new_lead(sent.occurred_at_ms)
        before = lead.tier
        lead.fold(sent.event_id, sent.occurred_at_ms, WEIGHTS[sent.topic])
        if lead.tier != before:
            former = self._rises.get(sent.lead_id, ())
            self._rises[sent.lead_id] = (*former, TIERS[lead.tier])

    @property
    def answers(self) -> Answers:
        """What the events so far come to."""
        return Answers(
            rises=self._rises,
            standings={key: Standing(lead.score, lead.at_ms) for key, lead in self._leads.items()},
        )


def rises_of(changes: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the tiers that each lead came to.

    Parameters
    ----------
    changes : iterable of tuple of str
        Lead and tier, in the order of the topic.
    """
    rises: dict[str, tuple[str, ...]] = {}
    for lead_id, tier in changes:
        rises[lead_id] = (*rises.get(lead_id, ()), tier)
    return rises


def check(
    wanted: Answers,
    *,
    rises: Mapping[str, tuple[str, ...]],
    standings: Mapping[str, Standing] | None,
) -> None:
    """Hold an engine's answers against the reference.

    Parameters
    ----------
    standings : mapping or None
        None: the engine keeps its state where it cannot be read from outside.

    Raises
    ------
    WrongAnswer
        With how many leads differ, and the first of them.
    """
    _same("tiers", wanted.rises, rises, lambda one, other: one == other)
    if standings is not None:
        _same("scores", wanted.standings, standings, _is_near)


def _is_near(one: Standing, other: Standing) -> bool:
    error = abs(one.score - other.score)
    return one.at_ms == other.at_ms and error <= SCORE_ERROR_MAX * max(1.0, one.score)


def _same(
    what: str,
    wanted: Mapping[str, T],
    got: Mapping[str, T],
    equal: Callable[[T, T], bool],
) -> None:
    wrong = [
        lead
        for lead in wanted.keys() | got.keys()
        if lead not in wanted or lead not in got or not equal(wanted[lead], got[lead])
    ]
    if wrong:
        shown = "; ".join(
            f"{lead}: {got.get(lead)} for {wanted.get(lead)}" for lead in sorted(wrong)[:SHOWN]
        )
        raise WrongAnswer(f"{what} of {len(wrong)} of {len(wanted)} leads differ: {shown}")
