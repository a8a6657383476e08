"""A band of scores, and where a curve leaves it."""

from math import ceil, inf, log, nan
from typing import Final, final

from scoring.compiling import mypyc_attr
from scoring.curve import Curve
from scoring.value import Value

HALVING_ROUND = 8
"""Every eighth round halves, whatever Newton's method says."""


@mypyc_attr(acyclic=True)
@final
class Band(Value):
    """The scores that keep a curve's lead in its tier: from `exit` to just below `rise`."""

    __slots__ = ("curve", "exit", "rise")

    def __init__(self, curve: Curve, exit: float, rise: float) -> None:  # noqa: A002  (as in models)
        self.curve: Final = curve
        self.exit: Final = exit
        self.rise: Final = rise

    def left(self, engagement: float) -> bool:
        """Whether the score that comes of an engagement changes the tier."""
        total = self.curve.total(engagement)
        return total < self.exit or total >= self.rise

    def left_at(self, at_ms: int) -> bool:
        """Whether the score at a moment changes the tier."""
        return self.left(self.curve.engagement(at_ms))


def first_between(band: Band, low_ms: int, high_ms: int, *, threshold: float) -> int:
    """Return the first millisecond at which a curve is outside its band.

    Newton's method on the logarithm of engagement (exact for one half-life), from the end of a
    bracket that is nearer to the threshold. Each round narrows the bracket and every eighth halves
    it, so it always ends.

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
    target = threshold - band.curve.fit
    low, high = _aim(band.curve, low_ms, target), NO_AIM
    rounds = 0
    while high_ms - low_ms > 1:
        rounds += 1
        at_ms = (low_ms + high_ms) // 2
        if rounds % HALVING_ROUND:
            for aim in (low, high) if low.miss < high.miss else (high, low):
                if low_ms - 1 < aim.guess_ms < high_ms + 1:
                    at_ms = min(max(ceil(aim.guess_ms), low_ms + 1), high_ms - 1)
                    break
        aim = _aim(band.curve, at_ms, target)
        if band.left(aim.engagement):
            high_ms, high = at_ms, aim
        else:
            low_ms, low = at_ms, aim
    return high_ms


@mypyc_attr(acyclic=True)
@final
class _Aim(Value):
    """Where Newton's method points from one end of a bracket, and how far off that end is."""

    __slots__ = ("engagement", "miss", "guess_ms")

    def __init__(self, engagement: float, miss: float, guess_ms: float) -> None:
        self.engagement: Final = engagement
        self.miss: Final = miss
        self.guess_ms: Final = guess_ms


NO_AIM: Final = _Aim(nan, inf, nan)


def _aim(curve: Curve, at_ms: int, target: float) -> _Aim:
    engagement, slope = curve.motion(at_ms)
    if slope == 0:
        guess_ms = nan
    elif engagement > 0 and target > 0:
        guess_ms = at_ms + engagement / slope * log(target / engagement)
    else:
        guess_ms = at_ms + (target - engagement) / slope
    return _Aim(engagement, abs(engagement - target), guess_ms)
