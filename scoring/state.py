"""What is kept of one lead."""

from typing import Final, final

from scoring.compiling import mypyc_attr
from scoring.event import Scalar
from scoring.value import Value


@mypyc_attr(acyclic=True)
@final
class Count(Value):
    """A decayed count: worth `value` at `ref_ms`, halved each half-life after it."""

    __slots__ = ("value", "ref_ms")

    def __init__(self, value: float, ref_ms: int) -> None:
        self.value: Final = value
        self.ref_ms: Final = ref_ms


@mypyc_attr(acyclic=True)
@final
class ProfileField(Value):
    """One form answer: the one with the latest `at_ms` is kept."""

    __slots__ = ("name", "value", "at_ms")

    def __init__(self, name: str, value: Scalar, at_ms: int) -> None:
        self.name: Final = name
        self.value: Final = value
        self.at_ms: Final = at_ms


@mypyc_attr(acyclic=True)
@final
class LeadState(Value):
    """The rolling state of one lead; everything that scoring remembers.

    Parameters
    ----------
    counts : tuple of Count or None
        One for each signal of the model, in its order; None before the first event.
    fast, slow : float
        Decayed sums of points at `points_ref_ms`, behind velocity and momentum.
    points_ref_ms : int
        The latest event that a signal took.
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

    __slots__ = (
        "counts",
        "fast",
        "slow",
        "points_ref_ms",
        "profile",
        "recent_ids",
        "tier",
        "since_ms",
        "as_of_ms",
        "seq",
        "model_version",
        "ceiling",
        "due_ms",
    )

    def __init__(
        self,
        counts: tuple[Count | None, ...],
        fast: float,
        slow: float,
        points_ref_ms: int,
        profile: tuple[ProfileField, ...],
        recent_ids: bytes,
        tier: int,
        since_ms: int,
        as_of_ms: int,
        seq: int,
        model_version: str,
        ceiling: float,
        due_ms: int | None,
    ) -> None:
        self.counts: Final = counts
        self.fast: Final = fast
        self.slow: Final = slow
        self.points_ref_ms: Final = points_ref_ms
        self.profile: Final = profile
        self.recent_ids: Final = recent_ids
        self.tier: Final = tier
        self.since_ms: Final = since_ms
        self.as_of_ms: Final = as_of_ms
        self.seq: Final = seq
        self.model_version: Final = model_version
        self.ceiling: Final = ceiling
        self.due_ms: Final = due_ms

    def judged_again(self, model_version: str, ceiling: float, due_ms: int | None) -> "LeadState":
        """Return the state after a judgement that left the tier as it was."""
        return LeadState(
            self.counts,
            self.fast,
            self.slow,
            self.points_ref_ms,
            self.profile,
            self.recent_ids,
            self.tier,
            self.since_ms,
            self.as_of_ms,
            self.seq,
            model_version,
            ceiling,
            due_ms,
        )
