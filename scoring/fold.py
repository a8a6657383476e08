"""The fold: one event into one lead's state. This is the whole product.

What the exact rules of the design leave open is decided here:

- An event that is no double moves the lead's time, enters its last ids, merges its form answers
  (before it is classified) and has the tier judged, also when no signal takes it.
- A double changes nothing: the same state comes back.
- A lead is new at its first event's time: lowest tier since then, and judged at once.
- Under another model than the state's, nothing is said to have decayed before an event, since the
  old model's moments are no longer true: the next event, or the timer that was set, judges anew.
"""

from dataclasses import dataclass

from scoring.classification import Rule
from scoring.decay import added
from scoring.event import Event
from scoring.judgement import Cause, Memory, judge
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.prepared import Prepared, prepared
from scoring.profile import as_mapping, merged
from scoring.state import Count, LeadState
from scoring.tier_change import Reason, TierChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What became of an event.

    Parameters
    ----------
    changes : tuple of TierChange
        First those that time alone caused before the event, then at most one by the event.
    signal : str or None
        The signal that took it.
    points : float
        What it was worth when it came, `weight` included; 0 without a signal.
    weight : float
        1, or less for a machine's; 0 for a double.
    """

    state: LeadState
    outcome: Outcome
    changes: tuple[TierChange, ...]
    signal: str | None
    points: float
    weight: float


def fold(state: LeadState | None, event: Event, model: Model) -> Folded:
    """Fold an event into a lead's state.

    Parameters
    ----------
    state : LeadState or None
        None for a lead not seen before.
    event : Event
        Of that lead; its time may be before the state's.
    model : Model
        Of the state's `state_version`.

    Returns
    -------
    Folded
    """
    if state is not None and event.event_id in state.recent_ids:
        return Folded(
            state=state, outcome=Outcome.DOUBLED, changes=(), signal=None, points=0.0, weight=0.0
        )
    layout = prepared(model)
    changes: list[TierChange] = []
    if state is None:
        state = _new(event, model)
    elif state.model_version == model.version:
        state = _cooled(state, layout, event.lead_id, event.occurred_at_ms - 1, changes)

    at_ms = event.occurred_at_ms
    profile = merged(state.profile, event.profile, at_ms=at_ms)
    rule = layout.classifier.classify(event, as_mapping(profile))
    weight = model.machine_weight if event.machine else 1.0
    points = rule.signal.points * weight if rule is not None else 0.0
    memory = Memory(
        counts=_counted(state.counts, rule, weight, at_ms=at_ms),
        fast=added(state.fast, points, at_ms=at_ms, half_life_ms=model.fast_half_life_ms),
        slow=added(state.slow, points, at_ms=at_ms, half_life_ms=model.slow_half_life_ms),
        profile=profile,
        recent_ids=(*state.recent_ids, event.event_id)[-model.recent_ids_max :],
    )
    reason = Reason.LATE_EVENT if at_ms < state.as_of_ms else Reason.EVENT
    cause = Cause(lead_id=event.lead_id, reason=reason, event_id=event.event_id)
    state = judge(
        state, memory, cause, at_ms=max(at_ms, state.as_of_ms), layout=layout, changes=changes
    )
    return Folded(
        state=state,
        outcome=Outcome.SCORED if rule is not None else Outcome.UNMATCHED,
        changes=tuple(changes),
        signal=rule.signal.name if rule is not None else None,
        points=points,
        weight=weight,
    )


def fire(
    state: LeadState, model: Model, *, lead_id: str, until_ms: int
) -> tuple[LeadState, tuple[TierChange, ...]]:
    """Make the changes visible that time alone has caused.

    Parameters
    ----------
    state : LeadState
    model : Model
        Of the state's `state_version`. If it is not the one that last judged, the state is
        judged anew at the moment that was stored.
    lead_id : str
    until_ms : int
        Event time; changes at this very moment are included.

    Returns
    -------
    state : LeadState
        As of the last moment judged; the same object if nothing was due.
    changes : tuple of TierChange
        Each with its own time. Empty, with another state, when a new model found nothing to
        change: the state's time and model have moved all the same.
    """
    changes: list[TierChange] = []
    return _cooled(state, prepared(model), lead_id, until_ms, changes), tuple(changes)


def _new(event: Event, model: Model) -> LeadState:
    at_ms = event.occurred_at_ms
    return LeadState(
        counts=(None,) * len(model.signals),
        fast=Count(value=0.0, ref_ms=at_ms),
        slow=Count(value=0.0, ref_ms=at_ms),
        profile=(),
        recent_ids=(),
        tier=0,
        since_ms=at_ms,
        as_of_ms=at_ms,
        seq=0,
        cools_at_ms=None,
        model_version=model.version,
    )


def _counted(
    counts: tuple[Count | None, ...], rule: Rule | None, weight: float, *, at_ms: int
) -> tuple[Count | None, ...]:
    if rule is None:
        return counts
    index = rule.index
    half_life_ms = rule.signal.half_life_ms
    grown = added(counts[index], weight, at_ms=at_ms, half_life_ms=half_life_ms)
    return (*counts[:index], grown, *counts[index + 1 :])


def _cooled(
    state: LeadState, layout: Prepared, lead_id: str, until_ms: int, changes: list[TierChange]
) -> LeadState:
    """Judge at each moment due up to `until_ms`; a finite sum of decays has finitely many."""
    if state.cools_at_ms is None or state.cools_at_ms > until_ms:
        return state
    memory = Memory(state.counts, state.fast, state.slow, state.profile, state.recent_ids)
    cause = Cause(lead_id=lead_id, reason=Reason.DECAY, event_id=None)
    while state.cools_at_ms is not None and state.cools_at_ms <= until_ms:
        state = judge(state, memory, cause, at_ms=state.cools_at_ms, layout=layout, changes=changes)
    return state
