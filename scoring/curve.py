"""A lead's score as a function of time, if nothing more happens."""

from dataclasses import dataclass
from math import exp2, log

from scoring.prepared import Prepared
from scoring.state import Count
from scoring.tier_change import Score

LN2 = log(2)

PURCHASE = 0.0
"""Points for earlier purchases: no event tells of them."""

Part = tuple[float, float, int, int, float]
"""Points, count, the count's time, half-life, cap: one signal that still adds something."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The one place where a score is computed; build it with `curve_of`.

    Parameters
    ----------
    groups : tuple of (float, tuple of Part)
        Cap of each group, and its parts.
    fit : float
        Does not decay.
    penalised : bool
        Whether a part takes points away; if none does, the score never rises by time alone.
    """

    groups: tuple[tuple[float, tuple[Part, ...]], ...]
    fit: float
    penalised: bool

    def engagement(self, at_ms: int) -> float:
        """Return ``sum over groups of min(cap, sum of min(cap, points * count))``."""
        total = 0.0
        for group_cap, parts in self.groups:
            subtotal = 0.0
            for points, value, ref_ms, half_life_ms, cap in parts:
                worth = points * (value * exp2((ref_ms - at_ms) / half_life_ms))
                subtotal += worth if worth < cap else cap  # noqa: FURB136  (twice as fast as min)
            total += subtotal if subtotal < group_cap else group_cap  # noqa: FURB136
        return total

    def motion(self, at_ms: int) -> tuple[float, float]:
        """Return engagement and its change a millisecond; what is at a cap stands still."""
        total = slope = 0.0
        for group_cap, parts in self.groups:
            subtotal = change = 0.0
            for points, value, ref_ms, half_life_ms, cap in parts:
                worth = points * (value * exp2((ref_ms - at_ms) / half_life_ms))
                if worth < cap:
                    subtotal += worth
                    change -= worth / half_life_ms
                else:
                    subtotal += cap
            if subtotal < group_cap:
                total += subtotal
                slope += change
            else:
                total += group_cap
        return total, slope * LN2

    def total(self, engagement: float) -> float:
        """Return the score that comes of an engagement: never below 0."""
        return max(0.0, engagement + self.fit + PURCHASE)

    def score(self, at_ms: int) -> Score:
        """Return the score with its parts."""
        engagement = self.engagement(at_ms)
        return Score(
            total=self.total(engagement), engagement=engagement, fit=self.fit, purchase=PURCHASE
        )


def curve_of(counts: tuple[Count | None, ...], *, fit: float, prepared: Prepared) -> Curve:
    """Return the score of these counts as a function of time.

    Parameters
    ----------
    counts : tuple of Count or None
        One for each signal of the model.
    fit : float
        Points for who the lead is.
    prepared : Prepared

    Returns
    -------
    Curve
        Right from the latest time of the counts on.
    """
    groups: list[tuple[float, tuple[Part, ...]]] = []
    penalised = False
    for group_cap, members in prepared.groups:
        parts: list[Part] = []
        for index, points, half_life_ms, cap in members:
            count = counts[index]
            if count is not None and count.value:
                parts.append((points, count.value, count.ref_ms, half_life_ms, cap))
                penalised = penalised or points < 0
        if parts:
            groups.append((group_cap, tuple(parts)))
    return Curve(tuple(groups), fit, penalised)
