"""A lead's score as a function of time, if nothing more happens."""

from typing import Final, final

from scoring.compiling import mypyc_attr
from scoring.model import Model
from scoring.prepared import Groups, Member, Prepared, prepared
from scoring.state import Count, LeadState
from scoring.tier_change import Score
from scoring.value import Value

LN2: Final = 0.6931471805599453

PURCHASE: Final = 0.0
"""Points for earlier purchases: no event tells of them."""


def engagement_of(groups: Groups, counts: tuple[Count | None, ...], at_ms: int) -> float:
    """Return ``sum over groups of min(cap, sum of min(cap, points * count))``.

    Parameters
    ----------
    groups : tuple of CappedGroup
        As `Prepared` lays them out.
    counts : tuple of Count or None
        One for each signal of the model.
    at_ms : int
        Not before the latest time of the counts.
    """
    return bound_of(groups, counts, gains_at_ms=at_ms, losses_at_ms=at_ms)


def bound_of(
    groups: Groups,
    counts: tuple[Count | None, ...],
    *,
    gains_at_ms: float,
    losses_at_ms: float,
) -> float:
    """Return engagement with points as at one time and penalties as at another.

    Both only fade, and caps keep that. So between two times engagement is never above what it is
    with the points of the earlier and the penalties of the later, nor below the reverse. With one
    time it is engagement itself: this is the one place where a score is computed.

    Parameters
    ----------
    groups, counts
        As of `engagement_of`.
    gains_at_ms, losses_at_ms : float
        Not before the latest time of the counts; infinity when all has faded.
    """
    total = 0.0
    for group in groups:
        subtotal = 0.0
        for member in group.members:
            count = counts[member.index]
            if count is not None:
                worth = member.worth(count, gains_at_ms if member.points > 0 else losses_at_ms)
                subtotal += worth if worth < member.cap else member.cap  # noqa: FURB136  (min is a call)
        total += subtotal if subtotal < group.cap else group.cap  # noqa: FURB136
    return total


def total_of(engagement: float, fit: float) -> float:
    """Return the score that comes of an engagement: never below 0."""
    total = engagement + fit + PURCHASE
    return total if total > 0.0 else 0.0  # noqa: FURB136  (as above)


@mypyc_attr(acyclic=True)
@final
class Curve(Value):
    """The score of some counts; build it with `curve_of`.

    Parameters
    ----------
    groups : tuple of CappedGroup
    counts : tuple of Count or None
    fit : float
        Does not decay.
    penalised : bool
        Whether a count takes points away; if none does, the score never rises by time alone.
    """

    __slots__ = ("groups", "counts", "fit", "penalised")

    def __init__(
        self, groups: Groups, counts: tuple[Count | None, ...], fit: float, penalised: bool
    ) -> None:
        self.groups: Final = groups
        self.counts: Final = counts
        self.fit: Final = fit
        self.penalised: Final = penalised

    def engagement(self, at_ms: int) -> float:
        """Return engagement at a moment."""
        return engagement_of(self.groups, self.counts, at_ms)

    def motion(self, at_ms: int) -> tuple[float, float]:
        """Return engagement and its change a millisecond; what is at a cap stands still."""
        total = slope = 0.0
        for group in self.groups:
            subtotal = change = 0.0
            for member in group.members:
                count = self.counts[member.index]
                if count is None:
                    continue
                worth = member.worth(count, at_ms)
                if worth < member.cap:
                    subtotal += worth
                    change -= worth / member.half_life_ms
                else:
                    subtotal += member.cap
            if subtotal < group.cap:
                total += subtotal
                slope += change
            else:
                total += group.cap
        return total, slope * LN2

    def parts(self) -> list[tuple[Member, Count]]:
        """Return the signals that have a count, with it."""
        return [
            (member, count)
            for group in self.groups
            for member in group.members
            if (count := self.counts[member.index]) is not None
        ]

    def bound(self, *, gains_at_ms: float, losses_at_ms: float) -> float:
        """Return a bound of engagement; see `bound_of`."""
        return bound_of(
            self.groups, self.counts, gains_at_ms=gains_at_ms, losses_at_ms=losses_at_ms
        )

    def total(self, engagement: float) -> float:
        """Return the score that comes of an engagement: never below 0."""
        return total_of(engagement, self.fit)

    def score(self, at_ms: int) -> Score:
        """Return the score with its parts."""
        engagement = self.engagement(at_ms)
        return Score(
            total=self.total(engagement), engagement=engagement, fit=self.fit, purchase=PURCHASE
        )


def curve_of_lead(state: LeadState, model: Model) -> Curve:
    """Return the score of a lead as a function of time, right from its state's time on."""
    layout = prepared(model)
    return curve_of(state.counts, fit=layout.fit(state.profile), prepared=layout)


def curve_of(counts: tuple[Count | None, ...], *, fit: float, prepared: Prepared) -> Curve:
    """Return the score of these counts as a function of time.

    Parameters
    ----------
    counts : tuple of Count or None
        One for each signal of the model.
    fit : float
        Points for who the lead is.
    prepared : Prepared

    Returns
    -------
    Curve
        Right from the latest time of the counts on.
    """
    return Curve(prepared.groups, counts, fit, prepared.penalised(counts))
