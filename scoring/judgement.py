"""Judging a lead: its tier at a moment, the change if there is one, and when it next changes."""

from dataclasses import dataclass
from typing import NamedTuple

from scoring.crossing import first_change_ms
from scoring.curve import curve_of
from scoring.prepared import Prepared
from scoring.score import contributions_at
from scoring.state import Count, LeadState, ProfileField
from scoring.tier_change import Reason, Score, TierChange
from scoring.tiers import judged
from scoring.velocity import momentum_at, velocity_at


class Memory(NamedTuple):
    """What events leave behind in a lead's state, as time alone does not."""

    counts: tuple[Count | None, ...]
    fast: Count
    slow: Count
    profile: tuple[ProfileField, ...]
    recent_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a lead is judged."""

    lead_id: str
    reason: Reason
    event_id: str | None


def judge(
    state: LeadState,
    memory: Memory,
    cause: Cause,
    *,
    at_ms: int,
    layout: Prepared,
    changes: list[TierChange],
) -> LeadState:
    """Judge a lead's tier at a moment.

    Parameters
    ----------
    state : LeadState
        As it was.
    memory : Memory
        All that counts at that moment.
    cause : Cause
        A change is put down to the model instead, if it is not the one that judged last.
    at_ms : int
        Event time, not before `state.as_of_ms`.
    layout : Prepared
        Of the model that judges from now on.
    changes : list of TierChange
        Takes the change, if there is one.

    Returns
    -------
    LeadState
        As of `at_ms`.
    """
    model = layout.model
    curve = curve_of(memory.counts, fit=layout.fit(memory.profile), prepared=layout)
    score = curve.score(at_ms)
    held_ms = at_ms - state.since_ms
    rank = judged(model.tiers, rank=state.tier, score=score.total, held_ms=held_ms)
    changed = rank != state.tier
    since_ms = at_ms if changed else state.since_ms
    after = LeadState(
        counts=memory.counts,
        fast=memory.fast,
        slow=memory.slow,
        profile=memory.profile,
        recent_ids=memory.recent_ids,
        tier=rank,
        since_ms=since_ms,
        as_of_ms=at_ms,
        seq=state.seq + changed,
        cools_at_ms=first_change_ms(
            curve, model.tiers, rank=rank, since_ms=since_ms, after_ms=at_ms
        ),
        model_version=model.version,
    )
    if changed:
        if state.model_version != model.version:
            cause = Cause(lead_id=cause.lead_id, reason=Reason.MODEL_CHANGE, event_id=None)
        changes.append(_change(state, after, layout, score, cause))
    return after


def _change(
    before: LeadState, after: LeadState, layout: Prepared, score: Score, cause: Cause
) -> TierChange:
    model, at_ms = layout.model, after.as_of_ms
    return TierChange(
        lead_id=cause.lead_id,
        seq=after.seq,
        from_tier=model.tiers[before.tier].name,
        from_rank=before.tier,
        to_tier=model.tiers[after.tier].name,
        to_rank=after.tier,
        score=score,
        velocity=velocity_at(after, model, at_ms),
        momentum=momentum_at(after, model, at_ms),
        reason=cause.reason,
        occurred_at_ms=at_ms,
        cools_at_ms=after.cools_at_ms,
        dwell_ms=at_ms - before.since_ms,
        trigger_event_id=cause.event_id,
        contributions=contributions_at(after, model, at_ms),
        model=model.name,
        model_version=model.version,
    )
