"""Times spent in a tier, in buckets that merge by addition and give quantiles within 1 %.

After Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with
relative-error guarantees, VLDB 2019. Its range is bounded here by the range of times: 1 ms to a
thousand years are 1,571 buckets.
"""

from collections.abc import Mapping
from itertools import accumulate
from math import ceil, floor, log

RELATIVE_ERROR = 0.01
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
LOG_GAMMA = log(GAMMA)
ZERO_INDEX = -1
"""The bucket of 0 ms."""

Buckets = Mapping[int, int]
"""How many times fell into each bucket: those over ``GAMMA ** (i - 1)`` up to ``GAMMA ** i``."""


def bucket_index(dwell_ms: int) -> int:
    """Return the bucket of a time.

    Parameters
    ----------
    dwell_ms : int
        Not negative.

    Returns
    -------
    int
        `ZERO_INDEX` for 0 ms, 0 for 1 ms, and so on.
    """
    return ceil(log(dwell_ms) / LOG_GAMMA) if dwell_ms > 0 else ZERO_INDEX


def bucket_ms(index: int) -> float:
    """Return the time that stands for a bucket: within 1 % of all times in it.

    Parameters
    ----------
    index : int

    Returns
    -------
    float
        ``2 * GAMMA ** index / (GAMMA + 1)`` milliseconds; 0.0 for `ZERO_INDEX`.
    """
    return 0.0 if index == ZERO_INDEX else float(2 * GAMMA**index / (GAMMA + 1))


def merged(first: Buckets, second: Buckets) -> Buckets:
    """Return the buckets of both: addition, so order and grouping do not matter."""
    both = dict(first)
    for index, times in second.items():
        both[index] = both.get(index, 0) + times
    return both


def quantile(buckets: Buckets, q: float) -> float | None:
    """Return the q-quantile of the times in the buckets.

    Parameters
    ----------
    buckets : Buckets
    q : float
        0 for the shortest, 0.5 for the median, 1 for the longest.

    Returns
    -------
    float or None
        Milliseconds, within 1 % of the time at place ``floor(q * (n - 1))`` of the n sorted
        ones. None when there are none.
    """
    times = sum(buckets.values())
    if not times:
        return None
    place = floor(q * (times - 1))
    indexes = sorted(buckets)
    seen = accumulate(buckets[index] for index in indexes)
    return next(bucket_ms(i) for i, upto in zip(indexes, seen, strict=True) if upto > place)
