"""Records of the output topics that workers write most, as rows: values in the contract's order."""

from collections.abc import Callable, Mapping
from typing import Any, Final, ParamSpec

from schemas.avro_writer import Row
from schemas.contracts import contract
from scoring.curve import PURCHASE
from scoring.event import Event, EventType
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.standing import standing
from scoring.state import LeadState

_P = ParamSpec("_P")

_TEXTS: Final[dict[str, str]] = {each: each.value for each in (*EventType, *Outcome)}
"""Members of enums as plain texts; `value` asks a descriptor each time."""


def lead_score_row(
    lead_id: str, state: LeadState, model: Model, *, at_ms: int, updated_at_ms: int
) -> Row:
    """Return a lead's score as a row of `lead-scores`.

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
    return (
        lead_id,
        model.tiers[state.tier].name,
        state.tier,
        state.since_ms,
        lead.total,
        lead.engagement,
        lead.fit,
        PURCHASE,
        lead.velocity,
        lead.momentum,
        at_ms,
        lead.cools_at_ms,
        state.seq,
        lead.shares,
        _counts(state, model),
        model.name,
        state.model_version,
        updated_at_ms,
    )


def _counts(state: LeadState, model: Model) -> list[Row]:
    rows: list[Row] = []
    for index, count in enumerate(state.counts):
        if count is not None:
            signal = model.signals[index]
            rows.append((signal.name, count.value, count.ref_ms, signal.half_life_ms))
    return rows


def scored_event_row(
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
) -> Row:
    """Return an event, or a timer that fired, as a row of `scored-events`.

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
    return (
        lead_id,
        None if event is None else event.event_id,
        None if event is None else _TEXTS[event.type],
        occurred_at_ms,
        _TEXTS[outcome],
        signal,
        weight,
        points,
        None if event is None else event.machine,
        {} if event is None else event.fields,
        {} if event is None else event.profile,
        input_topic,
        input_partition,
        input_offset,
        received_at_ms,
        score,
        tier,
        model_version,
    )


def named(topic: str, row: Callable[_P, Row]) -> Callable[_P, dict[str, object]]:
    """Return a function that returns what `row` does, with the names of the topic's contract."""

    def record(*args: _P.args, **given: _P.kwargs) -> dict[str, object]:
        return _named(contract(topic).schema, row(*args, **given))

    return record


def _named(schema: Mapping[str, Any], row: Row) -> dict[str, object]:
    return {
        field["name"]: _inner(field["type"], value)
        for field, value in zip(schema["fields"], row, strict=True)
    }


def _inner(node: Any, value: Any) -> object:
    is_array = isinstance(node, Mapping) and node["type"] == "array"
    return [_named(node["items"], each) for each in value] if is_array else value
