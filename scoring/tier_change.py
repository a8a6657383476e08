"""A tier change, and the score with its parts."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a tier changed."""

    EVENT = "event"
    DECAY = "decay"
    LATE_EVENT = "late_event"
    MODEL_CHANGE = "model_change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one signal adds to a score at a moment.

    Parameters
    ----------
    count : float
        Decayed count of its events.
    points : float
        Decayed points: points times count, after the signal's own cap.
    """

    signal: str
    count: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score at a moment, with its parts: ``total = max(0, engagement + fit + purchase)``."""

    total: float
    engagement: float
    fit: float
    purchase: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    """One change of one lead's tier.

    Parameters
    ----------
    seq : int
        Per lead, from 1, without gap.
    from_rank, to_rank : int
        Ranks of the tiers, 0 the lowest.
    velocity, momentum : float
        Points a day: the fast rate, and the fast less the slow rate, at `occurred_at_ms`.
    occurred_at_ms : int
        When it happened, in event time.
    cools_at_ms : int or None
        When the new tier changes by time alone, if nothing happens.
    dwell_ms : int
        How long the lead had been in the tier it left.
    trigger_event_id : str or None
        The event that caused it; None when time or a new model did.
    contributions : tuple of Contribution
        Those with points other than 0, largest points first, ties by name.
    """

    lead_id: str
    seq: int
    from_tier: str
    from_rank: int
    to_tier: str
    to_rank: int
    score: Score
    velocity: float
    momentum: float
    reason: Reason
    occurred_at_ms: int
    cools_at_ms: int | None
    dwell_ms: int
    trigger_event_id: str | None
    contributions: tuple[Contribution, ...]
    model: str
    model_version: str
