"""A scoring model: what counts, how much, for how long, and where the tiers begin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from scoring.event import EventType, Scalar


class Condition(Protocol):
    """A `when` of the model: holds or not for a view of an event and its lead."""

    @property
    def source(self) -> str:
        """The condition in canonical text; equal texts mean equal conditions."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """What it looks at: names in the view, with ``profile`` where it means the profile alone.

        A bare name falls back on the profile where the view has no such value.
        """
        ...

    @property
    def answers(self) -> tuple[str, ...] | None:
        """Which form answers of the profile it may look at; None: perhaps all of them."""
        ...

    def holds(self, view: Mapping[str, object]) -> bool:
        """Whether it holds; what is missing in `view` never holds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A rule: which events it takes, and what they are worth.

    Parameters
    ----------
    points : float
        Worth of one event by a person; negative for a penalty.
    half_life_ms : int
    cap : float or None
        The most that this signal adds to a score.
    group : str or None
    when : Condition or None
        None takes every event of type `on`.
    """

    name: str
    on: EventType
    points: float
    half_life_ms: int
    cap: float | None
    group: str | None
    when: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Signals that share a cap."""

    name: str
    cap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRule:
    """Points for who the lead is; they do not decay."""

    when: Condition
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A tier: entered at `enter`, left below `exit`, falls not before `dwell_ms` have passed.

    The lowest tier has neither: its `enter` and `exit` are minus infinity.
    """

    name: str
    enter: float
    exit: float
    dwell_ms: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A whole scoring model; equal models have equal versions, and each object hashes as itself.

    Parameters
    ----------
    signals : tuple of Signal
        First match wins among those with the same `on`.
    groups : tuple of Group
    tiers : tuple of Tier
        Lowest first: a tier's place in the tuple is its rank.
    fast_half_life_ms, slow_half_life_ms : int
        Half-lives of the two rates behind velocity and momentum.
    machine_weight : float
        What an event flagged as a machine's still counts, 0 to 1.
    recent_ids_max : int
        How many event ids a lead remembers, to know a double.
    version : str
        Hash of the canonical form.
    state_version : str
        Hash of what decayed counts depend on: names, classification, half-lives, weight.
        States made under another `state_version` cannot be read.
    """

    name: str
    signals: tuple[Signal, ...]
    groups: tuple[Group, ...]
    fit: tuple[FitRule, ...]
    tiers: tuple[Tier, ...]
    fast_half_life_ms: int
    slow_half_life_ms: int
    machine_weight: float
    recent_ids_max: int
    version: str
    state_version: str


__all__ = ["Condition", "FitRule", "Group", "Model", "Scalar", "Signal", "Tier"]
