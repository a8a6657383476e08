"""Bounds of a curve on an interval: what it stays between, and whether it only falls or rises."""

from dataclasses import dataclass

from scoring.curve import LN2, Curve
from scoring.prepared import Member
from scoring.state import Count

NOISE = 1e-14
"""Share of the parts' size that rounding may move a score by, with room to spare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What is known of engagement on an interval.

    Parameters
    ----------
    least, most : float
        Engagement lies between them, as it is computed at each millisecond.
    falls, rises : bool
        It does so at every millisecond, by more than rounding could hide.
    """

    least: float
    most: float
    falls: bool
    rises: bool


def extent(curve: Curve, low_ms: int, high_ms: int) -> Extent:
    """Bound a curve on an interval.

    Each signal is monotone, those with points down and penalties up, and a cap keeps that: so a
    sum lies between its parts' lower ends and their upper ends. The same holds for slopes.

    Parameters
    ----------
    curve : Curve
    low_ms, high_ms : int
        The interval, both ends included.

    Returns
    -------
    Extent
    """
    least = most = steepest_fall = steepest_rise = size = 0.0
    for group in curve.groups:
        group_cap = group.cap
        low = high = fall = rise = 0.0
        for member in group.members:
            count = curve.counts[member.index]
            if count is None:
                continue
            ends = _ends(member, count, low_ms, high_ms)
            low += ends[0]
            high += ends[1]
            fall += ends[2]
            rise += ends[3]
            size += max(abs(ends[0]), abs(ends[1]))
        if low >= group_cap:
            fall = rise = 0.0
        elif high >= group_cap:
            fall, rise = min(fall, 0.0), max(rise, 0.0)
        least += min(low, group_cap)
        most += min(high, group_cap)
        steepest_fall += fall
        steepest_rise += rise
    noise = (size + abs(curve.fit)) * NOISE
    return Extent(
        least=least,
        most=most,
        falls=steepest_rise * LN2 < -noise,
        rises=steepest_fall * LN2 > noise,
    )


def _ends(
    member: Member, count: Count, low_ms: int, high_ms: int
) -> tuple[float, float, float, float]:
    """Return least and most worth, and least and most slope (over ln 2) of one signal."""
    cap, half_life_ms = member.cap, member.half_life_ms
    first, last = member.worth(count, low_ms), member.worth(count, high_ms)
    if first < cap:
        slopes = (-first / half_life_ms, -last / half_life_ms)
        if member.points < 0:
            return first, last, slopes[1], slopes[0]
        return last, first, *slopes
    if last < cap:
        return last, cap, -cap / half_life_ms, 0.0
    return cap, cap, 0.0, 0.0
