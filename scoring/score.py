"""The score of a lead at a moment, and what it is made of."""

from scoring.curve import curve_of_lead
from scoring.decay import decayed
from scoring.model import Model
from scoring.state import LeadState
from scoring.tier_change import Contribution, Score

Share = tuple[str, float, float]
"""Signal, decayed count and points."""


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


def shares_at(state: LeadState, model: Model, at_ms: int) -> list[Share]:
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
    list of Share
        Those with points other than 0, largest points first, ties by name.
    """
    shares: list[Share] = []
    for index, count in enumerate(state.counts):
        if count is None:
            continue
        signal = model.signals[index]
        left = decayed(count, at_ms=at_ms, half_life_ms=signal.half_life_ms)
        points = signal.points * left
        if signal.cap is not None and points > signal.cap:
            points = signal.cap
        if points:
            _insert(shares, (signal.name, left, points))
    return shares


def contributions_at(state: LeadState, model: Model, at_ms: int) -> tuple[Contribution, ...]:
    """Return what each signal adds to a score; see `shares_at`."""
    return tuple(
        Contribution(signal=signal, count=count, points=points)
        for signal, count, points in shares_at(state, model, at_ms)
    )


def _insert(shares: list[Share], share: Share) -> None:
    """Put a share where it belongs: a lead has few, and compiled this beats a sort by keys."""
    signal, _, points = share
    place = len(shares)
    while place:
        before, _, most = shares[place - 1]
        if most > points or (most == points and before < signal):
            break
        place -= 1
    shares.insert(place, share)
