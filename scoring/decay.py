"""Decayed counts: ``C(t) = sum of m_i * 2 ** (-(t - t_i) / h)``, kept relative to a reference."""

import math

from scoring.state import Count


def decayed(count: Count, *, at_ms: float, half_life_ms: int) -> float:
    """Return what is left of a count.

    Forward decay kept relative to the latest event (Cormode, Shkapenyuk, Srivastava, Xu:
    Forward Decay, ICDE 2009), so that nothing overflows however long a lead lives.

    Parameters
    ----------
    count : Count
    at_ms : float
        Event time; not before `count.ref_ms`. Infinity when all has decayed.
    half_life_ms : int
        Positive.

    Returns
    -------
    float
        Underflows to 0.0, never below.

    Examples
    --------
    >>> decayed(Count(value=8.0, ref_ms=0), at_ms=3_000, half_life_ms=1_000)
    1.0
    """
    return left(count.value, count.ref_ms, at_ms, half_life_ms)


def left(value: float, ref_ms: float, at_ms: float, half_life_ms: int) -> float:
    """Return what is left at `at_ms` of what was worth `value` at `ref_ms`; see `decayed`."""
    return value * math.pow(2.0, (ref_ms - at_ms) / half_life_ms)


def added(count: Count | None, amount: float, at_ms: int, half_life_ms: int) -> Count:
    """Return `count` with `amount` added, as of the later of the two times.

    Parameters
    ----------
    count : Count or None
        None before the first event.
    amount : float
        Worth at `at_ms`; may be negative.
    at_ms : int
        Event time, before or after `count.ref_ms`: any order gives the same sum.
    half_life_ms : int
        Positive.

    Returns
    -------
    Count

    Examples
    --------
    >>> added(Count(value=8.0, ref_ms=0), 1.0, at_ms=1_000, half_life_ms=1_000)
    Count(value=5.0, ref_ms=1000)
    """
    if count is None:
        return Count(amount, at_ms)
    value = summed(count.value, count.ref_ms, amount, at_ms, half_life_ms)
    return Count(value, at_ms if at_ms > count.ref_ms else count.ref_ms)  # noqa: FURB136  (max is a call)


def summed(value: float, ref_ms: int, amount: float, at_ms: int, half_life_ms: int) -> float:
    """Return the sum of two amounts, each as of its own time, as of the later; see `added`."""
    if at_ms > ref_ms:
        return left(value, ref_ms, at_ms, half_life_ms) + amount
    return value + left(amount, at_ms, ref_ms, half_life_ms)
