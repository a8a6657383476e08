"""Where a lead stands: score, rates and parts at a moment, and when its tier changes by itself."""

from typing import Final, final

from scoring.compiling import mypyc_attr
from scoring.crossing import first_change_ms
from scoring.curve import curve_of_lead
from scoring.model import Model
from scoring.score import Share, shares_at
from scoring.state import LeadState
from scoring.value import Value
from scoring.velocity import momentum_at, velocity_at


@mypyc_attr(acyclic=True)
@final
class Standing(Value):
    """A lead at a moment.

    Parameters
    ----------
    total, engagement, fit : float
        The score and its parts.
    velocity, momentum : float
        Points a day.
    cools_at_ms : int or None
        When its tier next changes by time alone, exactly.
    shares : list of Share
        What adds to the score.
    """

    __slots__ = ("total", "engagement", "fit", "velocity", "momentum", "cools_at_ms", "shares")

    def __init__(
        self,
        total: float,
        engagement: float,
        fit: float,
        velocity: float,
        momentum: float,
        cools_at_ms: int | None,
        shares: list[Share],
    ) -> None:
        self.total: Final = total
        self.engagement: Final = engagement
        self.fit: Final = fit
        self.velocity: Final = velocity
        self.momentum: Final = momentum
        self.cools_at_ms: Final = cools_at_ms
        self.shares: Final = shares


def standing(state: LeadState, model: Model, at_ms: int) -> Standing:
    """Return where a lead stands, if nothing happens until then.

    Parameters
    ----------
    state : LeadState
    model : Model
        Of the state's `state_version`.
    at_ms : int
        Event time, not before `state.as_of_ms`.
    """
    curve = curve_of_lead(state, model)
    engagement = curve.engagement(at_ms)
    return Standing(
        total=curve.total(engagement),
        engagement=engagement,
        fit=curve.fit,
        velocity=velocity_at(state, model, at_ms),
        momentum=momentum_at(state, model, at_ms),
        cools_at_ms=first_change_ms(
            curve, model.tiers, rank=state.tier, since_ms=state.since_ms, after_ms=state.as_of_ms
        ),
        shares=shares_at(state, model, at_ms),
    )
