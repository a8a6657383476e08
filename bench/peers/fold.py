"""The job itself, as plainly as it can be written: a decayed score, its tier, the last ids."""

from math import exp, log

HALF_LIFE_MS = 7 * 86_400_000
RECENT_IDS_MAX = 64
WEIGHTS = {"website-visits": 1.0, "email-opens": 2.0, "form-fills": 10.0}
TIERS = ("cold", "warm", "hot")
ENTER, EXIT = (float("-inf"), 5.0, 20.0), (float("-inf"), 2.5, 10.0)

_RATE = log(2) / HALF_LIFE_MS


class Lead:
    """What is known of a lead; `recent_ids` keeps the order in which they came."""

    __slots__ = ("at_ms", "recent_ids", "score", "tier")

    def __init__(self, score: float, at_ms: int, tier: int, recent_ids: dict[str, None]) -> None:
        self.score = score
        self.at_ms = at_ms
        self.tier = tier
        self.recent_ids = recent_ids

    def fold(self, event_id: str, at_ms: int, weight: float) -> bool:
        """Add an event; return whether it was new."""
        if event_id in self.recent_ids:
            return False
        self.recent_ids[event_id] = None
        if len(self.recent_ids) > RECENT_IDS_MAX:
            del self.recent_ids[next(iter(self.recent_ids))]
        since_ms = at_ms - self.at_ms
        if since_ms >= 0:
            self.score = self.score * exp(-_RATE * since_ms) + weight
            self.at_ms = at_ms
        else:
            self.score += weight * exp(_RATE * since_ms)
        self.tier = judged(self.score, self.tier)
        return True


def new_lead(at_ms: int) -> Lead:
    """Return a lead at its first event."""
    return Lead(0.0, at_ms, 0, {})


def judged(score: float, tier: int) -> int:
    """Return the tier of a score for a lead that was in `tier`."""
    reached = 2 if score >= ENTER[2] else 1 if score >= ENTER[1] else 0
    if reached > tier:
        return reached
    if score >= EXIT[tier]:
        return tier
    return 1 if tier == len(TIERS) - 1 and score >= EXIT[1] else 0
