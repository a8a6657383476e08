"""What the workers found out, as records of the output topics, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.dead_letter_reason import DeadLetterReason
from schemas.output_rows import lead_score_row, named, scored_event_row
from schemas.topics import LEAD_SCORES, SCORED_EVENTS
from scoring.dwell import quantile
from scoring.event import Event, EventType
from scoring.funnel import Move, Partial, Passage, Transitions
from scoring.tier_change import Contribution, Reason, Score, TierChange

Record = dict[str, object]

lead_score_record = named(LEAD_SCORES, lead_score_row)
scored_event_record = named(SCORED_EVENTS, scored_event_row)


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


def move_from_record(record: Mapping[str, Any]) -> Move:
    """Return what velocity goes by of a record of `tier-changes`."""
    passage = Passage(
        record["from_rank"], record["to_rank"], record["from_tier"], record["to_tier"]
    )
    return Move(passage, record["occurred_at"], record["dwell_ms"])


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
    parts: list[bytes | None] = [key, value]
    parts.extend([content or b"" for _, content in headers])
    kept: list[bytes | None] = []
    for part in parts:
        kept.append(part and part[:left])
        left -= len(kept[-1] or b"")
    whole = sum([len(part or b"") for part in parts])
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
