"""Types of the builders in conftest."""

from collections.abc import Callable

from scoring.event import Event
from scoring.model import Model, Signal
from scoring.state import LeadState
from scoring.tier_change import TierChange

MakeEvent = Callable[..., Event]
MakeModel = Callable[..., Model]
MakeSignal = Callable[..., Signal]
MakeState = Callable[..., LeadState]
Retune = Callable[..., Model]
FoldAll = Callable[..., tuple[LeadState, list[TierChange]]]
