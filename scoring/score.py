"""The score of a lead at a moment, and what it is made of."""

from scoring.curve import curve_of_lead
from scoring.decay import decayed
from scoring.model import Model
from scoring.state import LeadState
from scoring.tier_change import Contribution, Score


def score_at(state: LeadState, model: Model, at_ms: int) -> Score:
    """Return a lead's score, if nothing happens until then.

    ``signal = min(cap, points * count)``, ``group = min(cap, sum of its signals)``, engagement is
    the sum of groups and of signals without one, and ``total = max(0, engagement + fit +
    purchase)``.

    Parameters
    ----------
    state : LeadState
    model : Model
        Of the state's `state_version`.
    at_ms : int
        Event time, not before `state.as_of_ms`.

    Returns
    -------
    Score

    Raises
    ------
    ValueError
        If `at_ms` is before the state's time: what a lead was before needs a replay until then.
    """
    if at_ms < state.as_of_ms:
        raise ValueError(
            f"a score at {at_ms} is before the state's time {state.as_of_ms}: replay until then"
        )
    return curve_of_lead(state, model).score(at_ms)


def shares_at(state: LeadState, model: Model, at_ms: int) -> list[tuple[str, float, float]]:
    """Return signal, decayed count and points of what adds to a score, before its group's cap.

    Parameters
    ----------
    state : LeadState
    model : Model
        Of the state's `state_version`.
    at_ms : int
        Event time, not before `state.as_of_ms`.

    Returns
    -------
    list of (str, float, float)
        Those with points other than 0, largest points first, ties by name.
    """
    shares = []
    for signal, count in zip(model.signals, state.counts, strict=True):
        if count is None:
            continue
        left = decayed(count, at_ms=at_ms, half_life_ms=signal.half_life_ms)
        points = signal.points * left
        if signal.cap is not None and points > signal.cap:
            points = signal.cap
        if points:
            shares.append((signal.name, left, points))
    if len(shares) > 1:
        shares.sort(key=_largest_first)
    return shares


def contributions_at(state: LeadState, model: Model, at_ms: int) -> tuple[Contribution, ...]:
    """Return what each signal adds to a score; see `shares_at`."""
    return tuple(
        Contribution(signal=signal, count=count, points=points)
        for signal, count, points in shares_at(state, model, at_ms)
    )


def _largest_first(share: tuple[str, float, float]) -> tuple[float, str]:
    return -share[2], share[0]
