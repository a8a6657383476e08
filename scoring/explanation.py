"""A lead's score explained: what gave how many points, what has decayed, what a cap took."""

from dataclasses import dataclass

from scoring.crossing import next_change_ms
from scoring.decay import decayed
from scoring.fold import fire
from scoring.model import Model, Signal
from scoring.profile import as_mapping
from scoring.score import score_at
from scoring.state import Count, LeadState
from scoring.tier_change import Score, TierChange
from scoring.velocity import momentum_at, velocity_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalShare:
    """What one signal adds.

    Parameters
    ----------
    latest_ms : int
        When its latest event was.
    count : float
        Decayed count of its events.
    points : float
        Points times count, before any cap.
    capped_points : float
        After the signal's own cap.
    decayed_points : float
        What its points have lost since its latest event.
    share : float
        Its part of all points that signals give, 0 to 1; of a penalty, of all that are taken.
    """

    signal: str
    group: str | None
    latest_ms: int
    count: float
    points: float
    capped_points: float
    cap: float | None
    decayed_points: float
    share: float
    half_life_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupShare:
    """What the signals of a group add together, before and after its cap."""

    group: str
    points: float
    capped_points: float
    cap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FitShare:
    """A fit rule, and whether it holds for the lead."""

    condition: str
    points: float
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A lead at a moment, in all its parts.

    Parameters
    ----------
    signals : tuple of SignalShare
        Those with an event, largest points first.
    predicted : tuple of TierChange
        What time alone changes between the state's time and `at_ms`.
    """

    lead_id: str
    at_ms: int
    score: Score
    velocity: float
    momentum: float
    tier: str
    rank: int
    since_ms: int
    cools_at_ms: int | None
    seq: int
    signals: tuple[SignalShare, ...]
    groups: tuple[GroupShare, ...]
    fit: tuple[FitShare, ...]
    predicted: tuple[TierChange, ...]
    model: str
    model_version: str


def explain(state: LeadState, model: Model, at_ms: int, *, lead_id: str) -> Explanation:
    """Explain a lead's score, if nothing happens until then.

    Parameters
    ----------
    state : LeadState
    model : Model
        Of the state's `state_version`.
    at_ms : int
        Event time, not before `state.as_of_ms`.
    lead_id : str

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If `at_ms` is before the state's time: what a lead was before needs a replay until then.
    """
    score = score_at(state, model, at_ms)
    then, predicted = fire(state, model, lead_id=lead_id, until_ms=at_ms)
    signals = _signals(state, model, at_ms)
    return Explanation(
        lead_id=lead_id,
        at_ms=at_ms,
        score=score,
        velocity=velocity_at(state, model, at_ms),
        momentum=momentum_at(state, model, at_ms),
        tier=model.tiers[then.tier].name,
        rank=then.tier,
        since_ms=then.since_ms,
        cools_at_ms=next_change_ms(then, model),
        seq=then.seq,
        signals=signals,
        groups=_groups(signals, model),
        fit=_fit(state, model),
        predicted=predicted,
        model=model.name,
        model_version=model.version,
    )


def _signals(state: LeadState, model: Model, at_ms: int) -> tuple[SignalShare, ...]:
    pairs = [
        (signal, count)
        for signal, count in zip(model.signals, state.counts, strict=True)
        if count is not None
    ]
    capped = [
        _capped(signal.points * _left(signal, count, at_ms), signal) for signal, count in pairs
    ]
    given = sum(points for points in capped if points > 0)
    taken = sum(points for points in capped if points < 0)
    shares = []
    for (signal, count), capped_points in zip(pairs, capped, strict=True):
        left = _left(signal, count, at_ms)
        whole = given if capped_points > 0 else taken
        shares.append(
            SignalShare(
                signal=signal.name,
                group=signal.group,
                latest_ms=count.ref_ms,
                count=left,
                points=signal.points * left,
                capped_points=capped_points,
                cap=signal.cap,
                decayed_points=signal.points * (count.value - left),
                share=capped_points / whole if whole else 0.0,
                half_life_ms=signal.half_life_ms,
            )
        )
    return tuple(sorted(shares, key=lambda one: (-one.capped_points, one.signal)))


def _left(signal: Signal, count: Count, at_ms: int) -> float:
    return decayed(count, at_ms=at_ms, half_life_ms=signal.half_life_ms)


def _capped(points: float, signal: Signal) -> float:
    return points if signal.cap is None else min(signal.cap, points)


def _groups(signals: tuple[SignalShare, ...], model: Model) -> tuple[GroupShare, ...]:
    shares = []
    for group in model.groups:
        members = [one.capped_points for one in signals if one.group == group.name]
        if members:
            points = sum(members)
            capped_points = points if group.cap is None else min(group.cap, points)
            shares.append(
                GroupShare(
                    group=group.name, points=points, capped_points=capped_points, cap=group.cap
                )
            )
    return tuple(shares)


def _fit(state: LeadState, model: Model) -> tuple[FitShare, ...]:
    seen = {"profile": as_mapping(state.profile)}
    return tuple(
        FitShare(condition=rule.when.source, points=rule.points, holds=rule.when.holds(seen))
        for rule in model.fit
    )
