"""Judging a lead: its tier at a moment, the change if there is one, and when it next changes."""

from math import inf

from scoring.crossing import due_ms, first_change_ms
from scoring.curve import Curve, curve_of, engagement_of, total_of
from scoring.prepared import Prepared
from scoring.score import contributions_at
from scoring.state import LeadState
from scoring.tier_change import Reason, TierChange
from scoring.tiers import judged
from scoring.velocity import momentum_at, velocity_at


def judge(
    state: LeadState,
    layout: Prepared,
    changes: list[TierChange],
    *,
    lead_id: str,
    reason: Reason,
    event_id: str | None,
    due_holds: bool,
) -> LeadState:
    """Judge a lead's tier at the time of its state.

    Parameters
    ----------
    state : LeadState
        All that counts at its `as_of_ms`; the tier, and what goes with it, as it was.
    layout : Prepared
        Of the model that judges from now on.
    changes : list of TierChange
        Takes the change, if there is one.
    reason, event_id
        Why it is judged. A change is put down to the model instead, if it is not the one that
        judged last.
    due_holds : bool
        Whether `state.due_ms` is right if the tier stays.

    Returns
    -------
    LeadState
    """
    model, at_ms = layout.model, state.as_of_ms
    same_model = state.model_version == model.version
    fit = layout.fit(state.profile)
    total = total_of(engagement_of(layout.groups, state.counts, at_ms), fit)
    least, most = layout.bands[state.tier]
    rank = state.tier
    if not least <= total < most:
        rank = judged(model.tiers, rank=rank, score=total, held_ms=at_ms - state.since_ms)
    ceiling = inf if layout.penalised(state.counts) else total
    if rank == state.tier and due_holds and same_model:
        return state.judged_again(model.version, ceiling, state.due_ms)
    curve = curve_of(state.counts, fit=fit, prepared=layout)
    if rank == state.tier:
        due = due_ms(curve, model.tiers, rank=rank, since_ms=state.since_ms, after_ms=at_ms)
        return state.judged_again(model.version, ceiling, due)
    if not same_model:
        reason, event_id = Reason.MODEL_CHANGE, None
    after, change = _changed(state, rank, ceiling, curve, layout, (lead_id, reason, event_id))
    changes.append(change)
    return after


def _changed(
    before: LeadState,
    rank: int,
    ceiling: float,
    curve: Curve,
    layout: Prepared,
    cause: tuple[str, Reason, str | None],
) -> tuple[LeadState, TierChange]:
    model, at_ms = layout.model, before.as_of_ms
    lead_id, reason, event_id = cause
    cools_at_ms = first_change_ms(curve, model.tiers, rank=rank, since_ms=at_ms, after_ms=at_ms)
    after = LeadState(
        before.counts,
        before.fast,
        before.slow,
        before.points_ref_ms,
        before.profile,
        before.recent_ids,
        rank,
        at_ms,
        before.as_of_ms,
        before.seq + 1,
        model.version,
        ceiling,
        cools_at_ms,
    )
    return after, TierChange(
        lead_id=lead_id,
        seq=after.seq,
        from_tier=model.tiers[before.tier].name,
        from_rank=before.tier,
        to_tier=model.tiers[rank].name,
        to_rank=rank,
        score=curve.score(at_ms),
        velocity=velocity_at(after, model, at_ms),
        momentum=momentum_at(after, model, at_ms),
        reason=reason,
        occurred_at_ms=at_ms,
        cools_at_ms=cools_at_ms,
        dwell_ms=at_ms - before.since_ms,
        trigger_event_id=event_id,
        contributions=contributions_at(after, model, at_ms),
        model=model.name,
        model_version=model.version,
    )
