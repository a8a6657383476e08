"""What is kept of one lead.

Named tuples, as every event makes some of each: they are built four times as fast as dataclasses,
and by `make`, which leaves out their own `__new__`, eight times.
"""

from typing import NamedTuple

from scoring.event import Scalar

make = tuple.__new__
"""Builds a named tuple of its type and a tuple of all its fields."""


class Count(NamedTuple):
    """A decayed count: worth `value` at `ref_ms`, halved each half-life after it."""

    value: float
    ref_ms: int


class ProfileField(NamedTuple):
    """One form answer: the one with the latest `at_ms` is kept."""

    name: str
    value: Scalar
    at_ms: int


class LeadState(NamedTuple):
    """The rolling state of one lead; everything that scoring remembers.

    Parameters
    ----------
    counts : tuple of Count or None
        One for each signal of the model, in its order; None before the first event.
    fast, slow : Count
        Decayed sums of points, behind velocity and momentum.
    profile : tuple of ProfileField
        Sorted by name.
    recent_ids : bytes
        Digests of the last event ids, oldest first; see `scoring.recent_ids`.
    tier : int
        Rank of the tier, 0 the lowest.
    since_ms : int
        When it entered the tier.
    as_of_ms : int
        Latest event or timer that was applied.
    seq : int
        Number of tier changes so far.
    model_version : str
        The model that last judged the tier.
    ceiling : float
        The score is not above it before the next event; infinity where penalties may fade.
    due_ms : int or None
        The tier does not change by time alone before it; None: never. When it next changes
        exactly says `scoring.crossing.next_change_ms`.
    """

    counts: tuple[Count | None, ...]
    fast: Count
    slow: Count
    profile: tuple[ProfileField, ...]
    recent_ids: bytes
    tier: int
    since_ms: int
    as_of_ms: int
    seq: int
    model_version: str
    ceiling: float
    due_ms: int | None
