"""What the workers found out, as records of the output topics, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.dead_letter_reason import DeadLetterReason
from scoring.curve import PURCHASE
from scoring.dwell import quantile
from scoring.event import Event, EventType
from scoring.funnel import Partial, Passage, Transitions
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.standing import standing
from scoring.state import LeadState
from scoring.tier_change import Contribution, Reason, Score, TierChange

Record = dict[str, object]


def tier_change_record(
    change: TierChange,
    *,
    emitted_at_ms: int,
    received_at_ms: int | None,
    correction_of: str | None = None,
) -> Record:
    """Return a tier change as a record of `tier-changes`.

    Parameters
    ----------
    change : TierChange
    emitted_at_ms : int
        The worker's clock, UTC epoch milliseconds.
    received_at_ms : int or None
        When the triggering event was appended; None when there is none.
    correction_of : str or None
        The change that this one corrects, as ``lead_id:seq``.
    """
    return {
        "lead_id": change.lead_id,
        "seq": change.seq,
        "from_tier": change.from_tier,
        "from_rank": change.from_rank,
        "to_tier": change.to_tier,
        "to_rank": change.to_rank,
        **_score(change.score),
        "velocity": change.velocity,
        "momentum": change.momentum,
        "reason": change.reason.value,
        "occurred_at": change.occurred_at_ms,
        "emitted_at": emitted_at_ms,
        "received_at": received_at_ms,
        "cools_at": change.cools_at_ms,
        "dwell_ms": change.dwell_ms,
        "trigger_event_id": change.trigger_event_id,
        "contributions": _contributions(change.contributions),
        "model": change.model,
        "model_version": change.model_version,
        "correction_of": correction_of,
    }


def tier_change_from_record(record: Mapping[str, Any]) -> TierChange:
    """Return the tier change that a record of `tier-changes` tells of.

    Raises
    ------
    ValueError
        When its reason is none that this version knows.
    """
    return TierChange(
        lead_id=record["lead_id"],
        seq=record["seq"],
        from_tier=record["from_tier"],
        from_rank=record["from_rank"],
        to_tier=record["to_tier"],
        to_rank=record["to_rank"],
        score=Score(
            total=record["score"],
            engagement=record["engagement"],
            fit=record["fit"],
            purchase=record["purchase"],
        ),
        velocity=record["velocity"],
        momentum=record["momentum"],
        reason=Reason(record["reason"]),
        occurred_at_ms=record["occurred_at"],
        cools_at_ms=record["cools_at"],
        dwell_ms=record["dwell_ms"],
        trigger_event_id=record["trigger_event_id"],
        contributions=tuple(Contribution(**each) for each in record["contributions"]),
        model=record["model"],
        model_version=record["model_version"],
    )


def lead_score_record(
    lead_id: str, state: LeadState, model: Model, *, at_ms: int, updated_at_ms: int
) -> Record:
    """Return a lead's score as a record of `lead-scores`.

    Parameters
    ----------
    lead_id : str
    state : LeadState
    model : Model
        Of the state's `state_version`.
    at_ms : int
        Moment of the score, not before `state.as_of_ms`, UTC epoch milliseconds.
    updated_at_ms : int
        The worker's clock.
    """
    lead = standing(state, model, at_ms)
    return {
        "lead_id": lead_id,
        "tier": model.tiers[state.tier].name,
        "rank": state.tier,
        "since": state.since_ms,
        "score": lead.total,
        "engagement": lead.engagement,
        "fit": lead.fit,
        "purchase": PURCHASE,
        "velocity": lead.velocity,
        "momentum": lead.momentum,
        "as_of": at_ms,
        "cools_at": lead.cools_at_ms,
        "seq": state.seq,
        "contributions": [
            {"signal": signal, "count": count, "points": points}
            for signal, count, points in lead.shares
        ],
        "counts": [
            {
                "signal": signal.name,
                "value": count.value,
                "ref": count.ref_ms,
                "half_life_ms": signal.half_life_ms,
            }
            for signal, count in zip(model.signals, state.counts, strict=True)
            if count is not None
        ],
        "model": model.name,
        "model_version": state.model_version,
        "updated_at": updated_at_ms,
    }


def scored_event_record(
    *,
    lead_id: str,
    occurred_at_ms: int,
    outcome: Outcome,
    model_version: str,
    event: Event | None = None,
    signal: str | None = None,
    weight: float = 0.0,
    points: float = 0.0,
    input_topic: str | None = None,
    input_partition: int | None = None,
    input_offset: int | None = None,
    received_at_ms: int | None = None,
    score: float | None = None,
    tier: str | None = None,
) -> Record:
    """Return an event, or a timer that fired, as a record of `scored-events`.

    Parameters
    ----------
    occurred_at_ms : int
        The event's time, or the moment that the timer fired for.
    event : Event or None
        None for a timer.
    received_at_ms : int or None
        When the event was appended to its topic, UTC epoch milliseconds.
    score, tier
        The lead's, after it.
    """
    return {
        "lead_id": lead_id,
        "event_id": None if event is None else event.event_id,
        "event_type": None if event is None else event.type.value,
        "occurred_at": occurred_at_ms,
        "outcome": outcome.value,
        "signal": signal,
        "weight": weight,
        "points": points,
        "machine": None if event is None else event.machine,
        "fields": {} if event is None else event.fields,
        "profile": {} if event is None else event.profile,
        "input_topic": input_topic,
        "input_partition": input_partition,
        "input_offset": input_offset,
        "received_at": received_at_ms,
        "score": score,
        "tier": tier,
        "model_version": model_version,
    }


def event_from_scored_record(record: Mapping[str, Any]) -> Event:
    """Return the event that a record of `scored-events` tells of, just as it was folded.

    Raises
    ------
    ValueError
        When it tells of a timer, or of a type of event that this version does not know.
    """
    return Event(
        type=EventType(record["event_type"]),
        event_id=record["event_id"],
        lead_id=record["lead_id"],
        occurred_at_ms=record["occurred_at"],
        machine=record["machine"],
        fields=record["fields"],
        profile=record["profile"],
    )


def lead_velocity_record(
    partial: Partial, *, partition: int, updated_at_ms: int, segment: str = "all"
) -> Record:
    """Return what one task counted in one window as a record of `lead-velocity`.

    Parameters
    ----------
    partial : Partial
    partition : int
        The task.
    updated_at_ms : int
        The worker's clock, UTC epoch milliseconds.
    segment : str
        Which leads were counted.
    """
    return {
        "partition": partition,
        "segment": segment,
        "window": partial.place.window.value,
        "window_start": partial.place.start_ms,
        "part": partial.part,
        "version": partial.version,
        "hot_leads": partial.hot_leads,
        "transitions": [
            _transitions(passage, counted)
            for passage, counted in sorted(partial.transitions.items())
        ],
        "updated_at": updated_at_ms,
    }


def dead_letter_record(
    *,
    topic: str,
    partition: int,
    offset: int,
    timestamp_ms: int,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
    reason: DeadLetterReason,
    text: str,
    failed_at_ms: int,
    lead_id: str | None = None,
    kept_bytes_max: int = 1 << 20,
    text_chars_max: int = 1000,
) -> Record:
    """Return a record that could not be used as a record of `dead-letters`.

    Parameters
    ----------
    topic, partition, offset, timestamp_ms, key, value, headers
        The record as it was read.
    reason, text
        What is wrong with it, for programs and for people.
    failed_at_ms : int
        The worker's clock, UTC epoch milliseconds.
    kept_bytes_max : int
        Of key, value and header values together no more is kept, so that a dead letter can
        always be written; the reason says when something was cut.
    text_chars_max : int
        Of `text` no more is kept.
    """
    left = kept_bytes_max
    parts = [key, value, *(content or b"" for _, content in headers)]
    kept: list[bytes | None] = []
    for part in parts:
        kept.append(part if part is None else part[:left])
        left -= len(kept[-1] or b"")
    whole = sum(len(part or b"") for part in parts)
    cut = f" (kept {kept_bytes_max} of {whole} bytes)" if whole > kept_bytes_max else ""
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp_ms,
        "key": kept[0],
        "value": kept[1],
        "headers": [
            {"name": name, "value": content}
            for (name, _), content in zip(headers, kept[2:], strict=True)
        ],
        "reason": f"{reason.value}: {text[:text_chars_max]}{cut}",
        "lead_id": lead_id,
        "failed_at": failed_at_ms,
    }


def _score(score: Score) -> Record:
    return {
        "score": score.total,
        "engagement": score.engagement,
        "fit": score.fit,
        "purchase": score.purchase,
    }


def _contributions(contributions: Iterable[Contribution]) -> list[Record]:
    return [
        {"signal": each.signal, "count": each.count, "points": each.points}
        for each in contributions
    ]


def _transitions(passage: Passage, counted: Transitions) -> Record:
    return {
        "from_tier": passage.from_tier,
        "from_rank": passage.from_rank,
        "to_tier": passage.to_tier,
        "to_rank": passage.to_rank,
        "count": counted.count,
        "dwell_ms_sum": counted.dwell_ms_sum,
        "dwell_p50_ms": quantile(counted.dwells, 0.5),
        "dwell_p90_ms": quantile(counted.dwells, 0.9),
        "dwell_p99_ms": quantile(counted.dwells, 0.99),
        "buckets": [
            {"index": index, "count": count} for index, count in sorted(counted.dwells.items())
        ],
    }
