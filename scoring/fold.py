"""The fold: one event into one lead's state. This is the whole product.

What the exact rules of the design leave open is decided here:

- An event that is no double moves the lead's time, enters its last ids, merges its form answers
  (before it is classified) and has the tier judged, also when no signal takes it.
- A double changes nothing: the same state comes back.
- A lead is new at its first event's time: lowest tier since then, and judged at once.
- Under another model than the state's, nothing is said to have decayed before an event, since the
  old model's moments are no longer true: the next event, or the timer that was set, judges anew.
"""

from math import inf
from typing import Final, final

from scoring.classification import Rule
from scoring.compiling import mypyc_attr
from scoring.curve import bound_of, total_of
from scoring.decay import added, summed
from scoring.event import Event
from scoring.judgement import judge
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.prepared import Prepared, prepared
from scoring.profile import merged
from scoring.recent_ids import DIGEST_BYTES, digest, holds
from scoring.state import LeadState, ProfileField
from scoring.tier_change import Reason, TierChange
from scoring.value import Value

JUST_BELOW: Final = 1 - 1e-9
"""So far below a threshold many additions to a ceiling have rounded it for certain."""

COUNT_PER_WEIGHT_MAX: Final = 1e12
"""Up to so large a count, of an event's weight, adding the event outweighs all rounding."""


@mypyc_attr(acyclic=True, free_list_len=1)
@final
class Folded(Value):
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

    __slots__ = ("state", "outcome", "changes", "signal", "points", "weight")

    def __init__(
        self,
        state: LeadState,
        outcome: Outcome,
        changes: tuple[TierChange, ...],
        signal: str | None,
        points: float,
        weight: float,
    ) -> None:
        self.state: Final = state
        self.outcome: Final = outcome
        self.changes: Final = changes
        self.signal: Final = signal
        self.points: Final = points
        self.weight: Final = weight


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
    id_digest = digest(event.event_id)
    if state is not None and holds(state.recent_ids, id_digest):
        return Folded(state, Outcome.DOUBLED, (), None, 0.0, 0.0)
    layout = prepared(model)
    changes: list[TierChange] = []
    at_ms = event.occurred_at_ms
    if state is None:
        state = _new(event, model, layout.fit(()))
    elif state.due_ms is not None and state.model_version == model.version:
        state = _cooled(state, layout, event.lead_id, at_ms - 1, changes)

    profile = state.profile
    if event.profile:
        profile = merged(profile, event.profile, at_ms=at_ms)
    rule = layout.classifier.classify(event, profile)
    weight = model.machine_weight if event.machine else 1.0
    points = 0.0 if rule is None else rule.points * weight
    remembered = _remembered(state, event, id_digest, profile, rule, weight=weight, model=model)
    lifted = _only_lifted(state, remembered, rule, weight)
    if lifted and _out_of_reach(remembered, layout):
        state = remembered
    else:
        state = judge(
            remembered,
            layout,
            changes,
            lead_id=event.lead_id,
            reason=Reason.LATE_EVENT if at_ms < state.as_of_ms else Reason.EVENT,
            event_id=event.event_id,
            due_holds=lifted and _due_holds(remembered, layout),
        )
    if rule is None:
        return Folded(state, Outcome.UNMATCHED, tuple(changes), None, 0.0, weight)
    return Folded(state, Outcome.SCORED, tuple(changes), rule.name, points, weight)


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
        Each with its own time. Empty, with another state, when there was nothing to change after
        all: then only `due_ms` has moved, or the state's time and model too for a new model.
    """
    changes: list[TierChange] = []
    return _cooled(state, prepared(model), lead_id, until_ms, changes), tuple(changes)


def _new(event: Event, model: Model, fit: float) -> LeadState:
    at_ms = event.occurred_at_ms
    return LeadState(
        counts=(None,) * len(model.signals),
        fast=0.0,
        slow=0.0,
        points_ref_ms=at_ms,
        profile=(),
        recent_ids=b"",
        tier=0,
        since_ms=at_ms,
        as_of_ms=at_ms,
        seq=0,
        model_version=model.version,
        ceiling=max(0.0, fit),
        due_ms=None,
    )


def _remembered(
    state: LeadState,
    event: Event,
    id_digest: bytes,
    profile: tuple[ProfileField, ...],
    rule: Rule | None,
    *,
    weight: float,
    model: Model,
) -> LeadState:
    """Return what an event leaves behind, before the tier is judged."""
    at_ms, counts, ceiling = event.occurred_at_ms, state.counts, state.ceiling
    fast, slow, ref_ms = state.fast, state.slow, state.points_ref_ms
    if rule is not None:
        index, points = rule.index, rule.points * weight
        grown = added(counts[index], weight, at_ms, rule.half_life_ms)
        changed = list(counts)
        changed[index] = grown
        counts = tuple(changed)
        fast = summed(fast, ref_ms, points, at_ms, model.fast_half_life_ms)
        slow = summed(slow, ref_ms, points, at_ms, model.slow_half_life_ms)
        ref_ms = at_ms if at_ms > ref_ms else ref_ms  # noqa: FURB136  (max is a call)
        if points > 0:
            ceiling += points
    return LeadState(
        counts,
        fast,
        slow,
        ref_ms,
        profile,
        (state.recent_ids + id_digest)[-DIGEST_BYTES * model.recent_ids_max :],
        state.tier,
        state.since_ms,
        at_ms if at_ms > state.as_of_ms else state.as_of_ms,  # noqa: FURB136  (max is a call)
        state.seq,
        state.model_version,
        ceiling,
        state.due_ms,
    )


def _only_lifted(before: LeadState, after: LeadState, rule: Rule | None, weight: float) -> bool:
    """Whether an event leaves the curve as it was or lifts all of it, before the state is due.

    Then nothing that time alone takes away comes sooner.
    """
    if before.profile is not after.profile:
        return False
    if before.due_ms is not None and before.due_ms <= after.as_of_ms:
        return False
    if rule is None or rule.points == 0:
        return True
    count = after.counts[rule.index]
    return rule.points > 0 and count is not None and count.value < weight * COUNT_PER_WEIGHT_MAX


def _out_of_reach(state: LeadState, layout: Prepared) -> bool:
    """Whether the score is too low for a higher tier."""
    if state.model_version != layout.model.version:
        return False
    return state.ceiling < layout.bands[state.tier][1] * JUST_BELOW


def _due_holds(state: LeadState, layout: Prepared) -> bool:
    """Whether penalties that fade until the state is due do not lift the lead out of its tier."""
    if not layout.penalised(state.counts):
        return True
    most = bound_of(
        layout.groups,
        state.counts,
        gains_at_ms=state.as_of_ms,
        losses_at_ms=inf if state.due_ms is None else state.due_ms,
    )
    return total_of(most, layout.fit(state.profile)) < layout.bands[state.tier][1]


def _cooled(
    state: LeadState, layout: Prepared, lead_id: str, until_ms: int, changes: list[TierChange]
) -> LeadState:
    """Judge at each moment due up to `until_ms`; a finite sum of decays has finitely many."""
    while state.due_ms is not None and state.due_ms <= until_ms:
        then = judge(
            state.replace(as_of_ms=state.due_ms),
            layout,
            changes,
            lead_id=lead_id,
            reason=Reason.DECAY,
            event_id=None,
            due_holds=False,
        )
        moved = then.seq != state.seq or then.model_version != state.model_version
        state = then if moved else state.replace(due_ms=then.due_ms)
    return state
