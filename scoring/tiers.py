"""Which tier a score stands for, with hysteresis and dwell."""

from collections.abc import Sequence
from math import inf

from scoring.model import Tier


def judged(tiers: Sequence[Tier], *, rank: int, score: float, held_ms: int) -> int:
    """Return the tier after a score, from the tier before it.

    Parameters
    ----------
    tiers : sequence of Tier
        Lowest first.
    rank : int
        The tier now.
    score : float
    held_ms : int
        How long the lead has been in it, in milliseconds of event time.

    Returns
    -------
    int
        The highest tier whose `enter` the score reaches, if that is above `rank`. Else, if the
        score is below the tier's `exit` and its dwell has passed, the highest lower tier whose
        `exit` the score reaches. Else `rank`.
    """
    for higher in range(len(tiers) - 1, rank, -1):
        if score >= tiers[higher].enter:
            return higher
    if score >= tiers[rank].exit or held_ms < tiers[rank].dwell_ms:
        return rank
    return next(lower for lower in range(rank - 1, -1, -1) if score >= tiers[lower].exit)


def rise_threshold(tiers: Sequence[Tier], rank: int) -> float:
    """Return the lowest score that lifts a lead out of its tier; infinity in the highest."""
    return min((tier.enter for tier in tiers[rank + 1 :]), default=inf)
