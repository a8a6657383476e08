"""A lead's history from ClickHouse, folded up to a moment and explained."""

from collections.abc import Mapping
from dataclasses import dataclass

from leadvelocity.replaying import Replay
from schemas.contracts import contract
from schemas.events import TOPICS
from scoring.event import EventType
from scoring.explanation import Explanation, explain
from scoring.model import Model
from scoring.tier_change import TierChange
from sinks.client import ClickHouse, query
from sinks.texts import scalar_of

_HISTORY_SQL = (
    "SELECT lead_id, event_id, event_type, toUnixTimestamp64Milli(occurred_at) AS occurred_at,"
    " outcome, machine, fields, profile,"
    " profile_text_fields FROM scored_events FINAL"
    " WHERE lead_id = %(lead_id)s AND outcome IN ('scored', 'unmatched', 'decay')"
    " ORDER BY source_partition, source_offset"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A lead until a moment.

    Parameters
    ----------
    explanation : Explanation or None
        None before the lead's first event.
    changes : tuple of TierChange
        Those until then, oldest first.
    first_ms : int
        When the lead's first event was.
    """

    explanation: Explanation | None
    changes: tuple[TierChange, ...]
    first_ms: int


def history_of(clickhouse: ClickHouse, model: Model, lead_id: str, *, at_ms: int) -> History | None:
    """Return a lead's history; None for a lead that no event is known of.

    Events until the moment are folded, in the order in which they came; what came later about
    an earlier time counts too.

    Parameters
    ----------
    clickhouse : ClickHouse
    model : Model
    lead_id : str
    at_ms : int
        Past or future, UTC epoch milliseconds.

    Raises
    ------
    SinkUnavailable
    """
    rows = query(clickhouse, _HISTORY_SQL, {"lead_id": lead_id}).as_objects()
    if not rows:
        return None
    replay = Replay(model=model)
    for row in rows:
        if row["occurred_at"] <= at_ms:
            replay.scored(row if row["event_id"] is None else _typed(row))
    state = replay.states.get(lead_id)
    explanation = None
    changes = tuple(replay.changes)
    if state is not None:
        explanation = explain(state, model, at_ms, lead_id=lead_id)
        changes += explanation.predicted
    first_ms = min(row["occurred_at"] for row in rows)
    return History(explanation=explanation, changes=changes, first_ms=first_ms)


def _typed(row: Mapping[str, object]) -> dict[str, object]:
    """Give the texts of ClickHouse's maps the types of the contract back."""
    kind = EventType(str(row["event_type"]))
    types = {each["name"]: each["type"] for each in contract(TOPICS[kind]).schema["fields"]}
    fields = {
        name: float(text) if "double" in types.get(name, ()) else text
        for name, text in _map(row["fields"]).items()
        if text is not None
    }
    texts = row["profile_text_fields"]
    assert isinstance(texts, list | tuple), "the driver gives arrays as lists"
    profile = {
        name: text if name in texts else scalar_of(text)
        for name, text in _map(row["profile"]).items()
    }
    return {**row, "fields": fields, "profile": profile}


def _map(value: object) -> Mapping[str, str | None]:
    assert isinstance(value, dict), "the driver gives maps as dicts"
    return value
