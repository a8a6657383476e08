"""How fast a lead gathers points: two decayed rates and their difference."""

from typing import Final

from scoring.curve import LN2
from scoring.decay import left
from scoring.model import Model
from scoring.state import LeadState

DAY_MS: Final = 86_400_000


def velocity_at(state: LeadState, model: Model, at_ms: int) -> float:
    """Return the fast rate of a lead.

    ``rate = (ln 2 / h) * sum of points_i * 2 ** (-(t - t_i) / h)``: for a steady stream of r
    points a day its mean is r, whatever h. Points are as they were when each event came,
    machine weight and penalties included, without caps.

    Parameters
    ----------
    state : LeadState
    model : Model
    at_ms : int
        Event time, not before `state.as_of_ms`.

    Returns
    -------
    float
        Points a day; below 0 while penalties prevail.
    """
    return _rate(state.fast, state.points_ref_ms, at_ms, model.fast_half_life_ms)


def momentum_at(state: LeadState, model: Model, at_ms: int) -> float:
    """Return the fast rate less the slow one: above 0 while a lead speeds up.

    Parameters
    ----------
    state : LeadState
    model : Model
    at_ms : int
        Event time, not before `state.as_of_ms`.

    Returns
    -------
    float
        Points a day.
    """
    slow = _rate(state.slow, state.points_ref_ms, at_ms, model.slow_half_life_ms)
    return velocity_at(state, model, at_ms) - slow


def _rate(points: float, ref_ms: int, at_ms: int, half_life_ms: int) -> float:
    return left(points, ref_ms, at_ms, half_life_ms) * LN2 * DAY_MS / half_life_ms
