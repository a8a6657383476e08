"""When a lead's tier next changes by time alone: the first millisecond, exactly."""

from collections.abc import Sequence
from math import ceil, frexp, inf, isfinite, log2

from scoring.bracket import Band, first_between
from scoring.curve import Curve, curve_of_lead
from scoring.extent import extent
from scoring.model import Model, Tier
from scoring.state import LeadState
from scoring.tiers import rise_threshold

UNDERFLOW_HALF_LIVES = 1_100
"""After so many half-lives (and the binary digits of the count) a count is exactly 0.0."""

HORIZONS_MS = (259_200_000, 21_600_000)
"""3 days and 6 hours: how far a lead with penalties is first looked ahead for."""


def next_change_ms(state: LeadState, model: Model) -> int | None:
    """Return when the tier next changes by time alone.

    Parameters
    ----------
    state : LeadState
        Judged at its `as_of_ms`, as the fold leaves it.
    model : Model
        Of the state's `state_version`.

    Returns
    -------
    int or None
        The first whole millisecond after `state.as_of_ms` at which the scoring function itself
        says that the tier changes: the score is below `exit` and the dwell has passed, or it
        reaches the `enter` of a higher tier (penalties decay too). None if that never comes.
    """
    return first_change_ms(
        curve_of_lead(state, model),
        model.tiers,
        rank=state.tier,
        since_ms=state.since_ms,
        after_ms=state.as_of_ms,
    )


def due_ms(
    curve: Curve, tiers: Sequence[Tier], *, rank: int, since_ms: int, after_ms: int
) -> int | None:
    """Return a time before which a curve does not leave its tier; quicker than `first_change_ms`.

    Where nothing is near, bounds say so. They are tried for the horizons below, the longest first.

    Parameters
    ----------
    curve, tiers, rank, since_ms, after_ms
        As of `first_change_ms`.

    Returns
    -------
    int or None
        After `after_ms`, and not after the first change; None if there is none.
    """
    if curve.penalised:
        band = Band(curve, exit=tiers[rank].exit, rise=rise_threshold(tiers, rank))
        if _stays(band, after_ms):
            return None
        for horizon_ms in HORIZONS_MS:
            then_ms = after_ms + horizon_ms
            least = curve.bound(gains_at_ms=then_ms, losses_at_ms=after_ms)
            most = curve.bound(gains_at_ms=after_ms, losses_at_ms=then_ms)
            if not band.left(least) and not band.left(most):
                return after_ms + horizon_ms + 1
    return first_change_ms(curve, tiers, rank=rank, since_ms=since_ms, after_ms=after_ms)


def first_change_ms(
    curve: Curve, tiers: Sequence[Tier], *, rank: int, since_ms: int, after_ms: int
) -> int | None:
    """Return the first whole millisecond after `after_ms` at which a curve leaves its tier.

    Parameters
    ----------
    curve : Curve
    tiers : sequence of Tier
        Lowest first.
    rank : int
        The tier, right at `after_ms`.
    since_ms : int
        When the lead entered it: falls wait until its dwell has passed.
    after_ms : int
        Not before the latest time of the curve's counts.

    Returns
    -------
    int or None
    """
    tier = tiers[rank]
    falls_from_ms = max(after_ms + 1, since_ms + tier.dwell_ms)
    if not curve.penalised:
        if tier.exit <= max(0.0, curve.fit):
            return None  # what is left in the end holds the tier
        return _first_fall(curve, tier.exit, from_ms=falls_from_ms)

    band = Band(curve, exit=tier.exit, rise=rise_threshold(tiers, rank))
    if _stays(band, after_ms):
        return None
    only_rise = Band(curve, exit=-inf, rise=band.rise)
    found = _first_change(only_rise, from_ms=after_ms + 1, to_ms=falls_from_ms - 1)
    return _first_change(band, from_ms=falls_from_ms, to_ms=None) if found is None else found


def _stays(band: Band, after_ms: int) -> bool:
    """Whether a lead of the lowest tier cannot rise, even if all its penalties faded at once."""
    if band.exit > -inf:
        return False
    return not band.left(band.curve.bound(gains_at_ms=after_ms, losses_at_ms=inf))


def _first_fall(curve: Curve, exit_below: float, *, from_ms: int) -> int:
    """Find where a curve without penalties, which never rises, falls below `exit_below`."""
    band = Band(curve, exit=exit_below, rise=inf)
    low_ms = from_ms - 1
    if band.left_at(low_ms):
        return from_ms
    high_ms = _settled_ms(curve, exit_below, from_ms=low_ms)
    step_ms = 1
    while not band.left_at(high_ms):  # equal to `exit`, or rounding
        low_ms, high_ms = high_ms, high_ms + step_ms
        step_ms *= 2
    return first_between(band, low_ms, high_ms, threshold=exit_below)


def _first_change(band: Band, *, from_ms: int, to_ms: int | None) -> int | None:
    """Find the first change from `from_ms` on, of a curve that may fall and rise."""
    if to_ms is not None and from_ms > to_ms:
        return None
    if band.left_at(from_ms):
        return from_ms
    if to_ms is not None:
        return _first_within(band, from_ms, to_ms)
    thresholds = [one for one in (band.exit, band.rise) if isfinite(one)]
    settled_ms = max(
        (_settled_ms(band.curve, one, from_ms=from_ms) for one in thresholds), default=from_ms
    )
    found = _first_within(band, from_ms, settled_ms)
    if found is None and band.left(0.0):  # equal to the threshold, or rounding
        found = _first_within(band, settled_ms, max(settled_ms, _end_ms(band.curve)))
    return found


def _first_within(band: Band, low_ms: int, high_ms: int) -> int | None:
    """Find the first change after `low_ms` (where there is none) up to `high_ms`.

    An interval is set aside when bounds of the score on it stay inside the band, solved when the
    score is monotone on it, and halved otherwise.
    """
    if high_ms - low_ms <= 1:
        return high_ms if high_ms > low_ms and band.left_at(high_ms) else None
    bounds = extent(band.curve, low_ms, high_ms)
    if not band.left(bounds.least) and not band.left(bounds.most):
        return None
    if bounds.falls or bounds.rises:
        if not band.left_at(high_ms):
            return None
        threshold = band.exit if bounds.falls else band.rise
        return first_between(band, low_ms, high_ms, threshold=threshold)
    middle_ms = (low_ms + high_ms) // 2
    found = _first_within(band, low_ms, middle_ms)
    return _first_within(band, middle_ms, high_ms) if found is None else found


def _settled_ms(curve: Curve, threshold: float, *, from_ms: int) -> int:
    """Return when a curve has come to the side of a threshold on which it ends, for good.

    All parts that could keep it on the other side, without caps and decaying at the slowest
    half-life, are then worth no more than the distance of fit alone. For one half-life and no cap
    this is the crossing itself.
    """
    room = threshold - curve.fit
    if room == 0:
        return max(from_ms, _end_ms(curve))
    against, slowest_ms = 0.0, 0
    for member, count in curve.parts():
        if (member.points > 0) == (room > 0):
            against += abs(member.worth(count, from_ms))
            slowest_ms = max(slowest_ms, member.half_life_ms)
    if against <= abs(room):
        return from_ms + 1
    return from_ms + 1 + ceil((log2(against) - log2(abs(room))) * slowest_ms)


def _end_ms(curve: Curve) -> int:
    """Return when every part has become exactly 0."""
    end_ms = 0
    for member, count in curve.parts():
        half_lives = UNDERFLOW_HALF_LIVES + max(0, frexp(count.value)[1])
        end_ms = max(end_ms, count.ref_ms + member.half_life_ms * half_lives)
    return end_ms
