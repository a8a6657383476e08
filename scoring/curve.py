"""A lead's score as a function of time, if nothing more happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp2, log

from scoring.model import Model
from scoring.prepared import Groups, Member, Prepared, prepared
from scoring.state import Count, LeadState
from scoring.tier_change import Score

LN2 = log(2)

PURCHASE = 0.0
"""Points for earlier purchases: no event tells of them."""

Part = tuple[float, float, int, int, float]
"""Points, count, the count's time, half-life, cap: one signal that still adds something."""


def engagement_of(
    groups: Groups,
    counts: Sequence[Count | None],
    at_ms: int,
) -> float:
    """Return ``sum over groups of min(cap, sum of min(cap, points * count))``.

    This is the one place where a score is computed.

    Parameters
    ----------
    groups : tuple of (float, tuple of Member)
        As `Prepared` lays them out.
    counts : sequence of Count or None
        One for each signal of the model.
    at_ms : int
        Not before the latest time of the counts.
    """
    total = 0.0
    for group_cap, members in groups:
        subtotal = 0.0
        for index, points, half_life_ms, cap in members:
            count = counts[index]
            if count is not None:
                worth = points * (count[0] * exp2((count[1] - at_ms) / half_life_ms))
                subtotal += worth if worth < cap else cap  # noqa: FURB136  (twice as fast as min)
        total += subtotal if subtotal < group_cap else group_cap  # noqa: FURB136
    return total


def bound_of(
    groups: Groups,
    counts: Sequence[Count | None],
    *,
    gains_at_ms: float,
    losses_at_ms: float,
) -> float:
    """Return engagement with points as at one time and penalties as at another.

    Both only fade, and caps keep that. So between two times engagement is never above what it is
    with the points of the earlier and the penalties of the later, nor below the reverse.

    Parameters
    ----------
    groups, counts
        As of `engagement_of`.
    gains_at_ms, losses_at_ms : float
        Not before the latest time of the counts; infinity when all has faded.
    """
    total = 0.0
    for group_cap, members in groups:
        subtotal = 0.0
        for index, points, half_life_ms, cap in members:
            count = counts[index]
            if count is not None:
                at_ms = gains_at_ms if points > 0 else losses_at_ms
                worth = points * (count[0] * exp2((count[1] - at_ms) / half_life_ms))
                subtotal += worth if worth < cap else cap  # noqa: FURB136  (as above)
        total += subtotal if subtotal < group_cap else group_cap  # noqa: FURB136
    return total


def total_of(engagement: float, fit: float) -> float:
    """Return the score that comes of an engagement: never below 0."""
    return max(0.0, engagement + fit + PURCHASE)


@dataclass(frozen=True, slots=True)
class Curve:
    """The score of some counts; build it with `curve_of`.

    Parameters
    ----------
    counts : tuple of Count or None
    members : tuple of (float, tuple of Member)
        Of the model's groups what has a count.
    groups : tuple of (float, tuple of Part)
        Cap of each group, and its parts.
    fit : float
        Does not decay.
    penalised : bool
        Whether a part takes points away; if none does, the score never rises by time alone.
    """

    counts: tuple[Count | None, ...]
    members: Groups
    groups: tuple[tuple[float, tuple[Part, ...]], ...]
    fit: float
    penalised: bool

    def engagement(self, at_ms: int) -> float:
        """Return engagement at a moment."""
        return engagement_of(self.members, self.counts, at_ms)

    def motion(self, at_ms: int) -> tuple[float, float]:
        """Return engagement and its change a millisecond; what is at a cap stands still."""
        total = slope = 0.0
        for group_cap, parts in self.groups:
            subtotal = change = 0.0
            for points, value, ref_ms, half_life_ms, cap in parts:
                worth = points * (value * exp2((ref_ms - at_ms) / half_life_ms))
                if worth < cap:
                    subtotal += worth
                    change -= worth / half_life_ms
                else:
                    subtotal += cap
            if subtotal < group_cap:
                total += subtotal
                slope += change
            else:
                total += group_cap
        return total, slope * LN2

    def bound(self, *, gains_at_ms: float, losses_at_ms: float) -> float:
        """Return a bound of engagement; see `bound_of`."""
        return bound_of(
            self.members, self.counts, gains_at_ms=gains_at_ms, losses_at_ms=losses_at_ms
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
    present: list[tuple[float, tuple[Member, ...]]] = []
    groups: list[tuple[float, tuple[Part, ...]]] = []
    penalised = False
    for group_cap, members in prepared.groups:
        here: list[Member] = []
        parts: list[Part] = []
        for member in members:
            index, points, half_life_ms, cap = member
            count = counts[index]
            if count is not None and count.value:
                here.append(member)
                parts.append((points, count.value, count.ref_ms, half_life_ms, cap))
                penalised = penalised or points < 0
        if parts:
            present.append((group_cap, tuple(here)))
            groups.append((group_cap, tuple(parts)))
    return Curve(counts, tuple(present), tuple(groups), fit, penalised)
