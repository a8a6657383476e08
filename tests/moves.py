"""Tier changes as velocity sees them."""

from scoring.funnel import Move, Passage
from scoring.tier_change import TierChange


def move_of(change: TierChange) -> Move:
    """Return a tier change as velocity sees it."""
    passage = Passage(change.from_rank, change.to_rank, change.from_tier, change.to_tier)
    return Move(passage, change.occurred_at_ms, change.dwell_ms)
