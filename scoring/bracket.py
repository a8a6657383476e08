"""A band of scores, and where a curve leaves it."""

from dataclasses import dataclass
from math import ceil, log

from scoring.curve import Curve


@dataclass(frozen=True, slots=True, kw_only=False)
class Band:
    """The scores that keep a curve's lead in its tier: from `exit` to just below `rise`."""

    curve: Curve
    exit: float
    rise: float

    def left(self, engagement: float) -> bool:
        """Whether the score that comes of an engagement changes the tier."""
        total = self.curve.total(engagement)
        return total < self.exit or total >= self.rise

    def left_at(self, at_ms: int) -> bool:
        """Whether the score at a moment changes the tier."""
        return self.left(self.curve.engagement(at_ms))


def first_between(band: Band, low_ms: int, high_ms: int, *, threshold: float) -> int:
    """Return the first millisecond at which a curve is outside its band.

    Newton's method on the logarithm of engagement (exact for one half-life), inside a bracket
    that each round narrows and every third round halves, so that it always ends.

    Parameters
    ----------
    band : Band
    low_ms : int
        The curve is inside here.
    high_ms : int
        The curve is outside here; monotone between the two.
    threshold : float
        The side of the band by which it leaves.

    Returns
    -------
    int
    """
    at_ms, rounds = low_ms, 0
    target = threshold - band.curve.fit
    engagement, slope = band.curve.motion(at_ms)
    while high_ms - low_ms > 1:
        rounds += 1
        guess_ms = _guess_ms(at_ms, engagement, slope, target)
        if rounds % 3 and low_ms - 1 < guess_ms < high_ms + 1:
            at_ms = min(max(ceil(guess_ms), low_ms + 1), high_ms - 1)
        else:
            at_ms = (low_ms + high_ms) // 2
        engagement, slope = band.curve.motion(at_ms)
        if band.left(engagement):
            high_ms = at_ms
        else:
            low_ms = at_ms
    return high_ms


def _guess_ms(at_ms: int, engagement: float, slope: float, target: float) -> float:
    if slope == 0:
        return float("nan")  # inside no bracket
    if engagement > 0 and target > 0:
        return at_ms + engagement / slope * log(target / engagement)
    return at_ms + (target - engagement) / slope
