"""What of a model every event needs, laid out once."""

from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Final, final

from scoring.classification import Classifier
from scoring.compiling import mypyc_attr
from scoring.decay import decayed
from scoring.fit import Fit
from scoring.model import Model
from scoring.state import Count, ProfileField
from scoring.tiers import rise_threshold
from scoring.value import Value

MODELS_MAX = 16
"""Models laid out at the same time; a process has one, a comparison of models a few."""


@mypyc_attr(acyclic=True)
@final
class Member(Value):
    """A signal inside a group.

    Parameters
    ----------
    index : int
        Its place in the model.
    points : float
    half_life_ms : int
    cap : float
        Or infinity.
    """

    __slots__ = ("index", "points", "half_life_ms", "cap")

    def __init__(self, index: int, points: float, half_life_ms: int, cap: float) -> None:
        self.index: Final = index
        self.points: Final = points
        self.half_life_ms: Final = half_life_ms
        self.cap: Final = cap

    def worth(self, count: Count, at_ms: float) -> float:
        """Return the points that a count gives at a time, before the cap."""
        return self.points * decayed(count, at_ms=at_ms, half_life_ms=self.half_life_ms)


@mypyc_attr(acyclic=True)
@final
class CappedGroup(Value):
    """Signals that share a cap, or infinity."""

    __slots__ = ("cap", "members")

    def __init__(self, cap: float, members: tuple[Member, ...]) -> None:
        self.cap: Final = cap
        self.members: Final = members


Groups = tuple[CappedGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A model, laid out for folding.

    Parameters
    ----------
    groups : tuple of CappedGroup
        Last those without a group.
    bands : tuple of (float, float)
        By rank: the scores that keep a tier, from its `exit` to just below the next `enter`.
    penalties : tuple of int
        Places of the signals that take points away.
    fits : Fit
        Of the model's fit rules.
    """

    model: Model
    classifier: Classifier
    groups: Groups
    bands: tuple[tuple[float, float], ...]
    penalties: tuple[int, ...]
    fits: Fit

    def penalised(self, counts: tuple[Count | None, ...]) -> bool:
        """Whether some of these counts take points away."""
        for index in self.penalties:  # noqa: SIM110  (a generator is no loop when compiled)
            if counts[index] is not None:
                return True
        return False

    def fit(self, profile: tuple[ProfileField, ...]) -> float:
        """Return the points for who the lead is: all fit rules that hold, added."""
        return self.fits.of(profile)


@lru_cache(maxsize=MODELS_MAX)
def prepared(model: Model) -> Prepared:
    """Lay out a model, once for each model object.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Prepared
    """
    caps = [(group.name, inf if group.cap is None else group.cap) for group in model.groups]
    groups = [(cap, _members(model, name)) for name, cap in caps]
    groups.append((inf, _members(model, None)))
    laid_out = tuple(CappedGroup(cap, members) for cap, members in groups if members)
    return Prepared(
        model=model,
        classifier=Classifier(model),
        groups=laid_out,
        bands=tuple(
            (tier.exit, rise_threshold(model.tiers, rank)) for rank, tier in enumerate(model.tiers)
        ),
        penalties=tuple(index for index, signal in enumerate(model.signals) if signal.points < 0),
        fits=Fit(model.fit),
    )


def _members(model: Model, group: str | None) -> tuple[Member, ...]:
    return tuple(
        Member(index, signal.points, signal.half_life_ms, inf if signal.cap is None else signal.cap)
        for index, signal in enumerate(model.signals)
        if signal.group == group and signal.points != 0
    )
