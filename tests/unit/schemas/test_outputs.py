"""Records of the output topics, over the wire and back."""

from dataclasses import replace
from typing import Any

import pytest

from schemas import outputs
from schemas.contracts import contract
from schemas.dead_letter_reason import DeadLetterReason
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.topics import (
    DEAD_LETTERS,
    LEAD_SCORES,
    LEAD_VELOCITY,
    SCORED_EVENTS,
    TIER_CHANGES,
)
from scoring.event import Event, EventType
from scoring.fold import fold
from scoring.funnel import apply
from scoring.model import Model, Signal, Tier
from scoring.outcome import Outcome
from scoring.tier_change import Contribution, Reason, Score, TierChange
from tests.moves import move_of

DAY_MS = 86_400_000
CHANGE = TierChange(
    lead_id="Zoë",
    seq=3,
    from_tier="cold",
    from_rank=0,
    to_tier="hot",
    to_rank=2,
    score=Score(total=70.5, engagement=60.5, fit=10.0, purchase=0.0),
    velocity=8.25,
    momentum=-0.5,
    reason=Reason.EVENT,
    occurred_at_ms=1_700_000_000_123,
    cools_at_ms=None,
    dwell_ms=DAY_MS,
    trigger_event_id="e-1",
    contributions=(Contribution(signal="demo", count=1.5, points=60.5),),
    model="default",
    model_version="abc",
)
FILL = Event(
    type=EventType.FORM_FILL,
    event_id="e-1",
    lead_id="Zoë",
    occurred_at_ms=1_700_000_000_123,
    machine=None,
    fields={"form_id": "demo"},
    profile={"company": "Zoë & Sons", "seats": 12, "share": 12.0, "trial": True, "vat": None},
)
MODEL = Model(
    name="default",
    signals=tuple(
        Signal(name=name, on=on, points=40.0, half_life_ms=DAY_MS, cap=None, group=None, when=None)
        for name, on in (("demo", EventType.FORM_FILL), ("open", EventType.EMAIL_OPEN))
    ),
    groups=(),
    fit=(),
    tiers=(
        Tier(name="cold", enter=float("-inf"), exit=float("-inf"), dwell_ms=0),
        Tier(name="hot", enter=30.0, exit=20.0, dwell_ms=0),
    ),
    fast_half_life_ms=DAY_MS,
    slow_half_life_ms=14 * DAY_MS,
    machine_weight=0.2,
    recent_ids_max=64,
    version="abc",
    state_version="def",
)


def over_the_wire(topic: str, record: dict[str, object]) -> dict[str, Any]:
    schemas = WriterSchemas()
    schemas.learn(1, contract(topic).text)
    value = Encoder(contract(topic), 1).encode(record)
    return Decoder(contract(topic), schemas).decode(value)


@pytest.mark.parametrize(
    "change",
    [
        CHANGE,
        replace(CHANGE, trigger_event_id=None, reason=Reason.DECAY, cools_at_ms=5),
        replace(CHANGE, contributions=()),
    ],
)
def test_tier_change(change: TierChange) -> None:
    """A tier change comes back from its topic as it was decided."""
    record = outputs.tier_change_record(
        change, emitted_at_ms=7, received_at_ms=6, correction_of="Zoë:2"
    )
    back = over_the_wire(TIER_CHANGES, record)
    assert back == record
    assert outputs.tier_change_from_record(back) == change
    assert outputs.move_from_record(back) == move_of(change)
    assert (back["emitted_at"], back["received_at"], back["correction_of"]) == (7, 6, "Zoë:2")


def test_scored_event() -> None:
    """An event comes back from scored-events just as it was folded, types and all."""
    record = outputs.scored_event_record(
        lead_id=FILL.lead_id,
        occurred_at_ms=FILL.occurred_at_ms,
        event=FILL,
        outcome=Outcome.SCORED,
        model_version="abc",
        signal="demo",
        weight=1.0,
        points=40.0,
        input_topic="form-fills",
        input_partition=3,
        input_offset=2**40,
        received_at_ms=9,
        score=40.0,
        tier="hot",
    )
    assert type(record["outcome"]) is type(record["event_type"]) is str
    back = over_the_wire(SCORED_EVENTS, record)
    assert back == record
    event = outputs.event_from_scored_record(back)
    assert event == FILL
    assert [type(each) for each in event.profile.values()] == [str, int, float, bool, type(None)]


def test_timer() -> None:
    """A timer stands in scored-events without an event, and is not taken for one."""
    record = outputs.scored_event_record(
        lead_id="Zoë", occurred_at_ms=5, outcome=Outcome.DECAY, model_version="abc", tier="cold"
    )
    back = over_the_wire(SCORED_EVENTS, record)
    assert back == record
    assert back["event_id"] is None
    with pytest.raises(ValueError, match="None"):
        outputs.event_from_scored_record(back)


def test_lead_score() -> None:
    """A lead's score names its tier, its parts and the counts that it can be told from later."""
    state = fold(None, FILL, MODEL).state
    at_ms = FILL.occurred_at_ms + DAY_MS
    record = outputs.lead_score_record("Zoë", state, MODEL, at_ms=at_ms, updated_at_ms=9)
    back = over_the_wire(LEAD_SCORES, record)
    assert back == record
    assert (back["tier"], back["rank"], back["seq"]) == ("hot", 1, 1)
    assert back["score"] == pytest.approx(20.0)
    assert back["contributions"] == [{"signal": "demo", "count": 0.5, "points": 20.0}]
    count = {"signal": "demo", "value": 1.0, "ref": FILL.occurred_at_ms, "half_life_ms": DAY_MS}
    assert back["counts"] == [count]
    assert back["as_of"] == at_ms


def test_lead_velocity() -> None:
    """A window's partial is a record whose buckets and quantiles tell of the same changes."""
    (minute, *_) = apply({}, move_of(CHANGE), hot_leads=4, part=11)
    record = outputs.lead_velocity_record(minute, partition=2, updated_at_ms=9)
    back = over_the_wire(LEAD_VELOCITY, record)
    assert back == record
    assert (back["window"], back["hot_leads"], back["part"], back["version"]) == (
        "minute",
        4,
        11,
        1,
    )
    (transition,) = back["transitions"]
    assert (transition["from_tier"], transition["to_tier"]) == ("cold", "hot")
    assert transition["dwell_ms_sum"] == DAY_MS
    assert transition["dwell_p50_ms"] == pytest.approx(DAY_MS, rel=0.01)
    assert [each["count"] for each in transition["buckets"]] == [1]


def dead_letter(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "topic": "form-fills",
        "partition": 1,
        "offset": 2,
        "timestamp_ms": 3,
        "key": b"\xffkey",
        "value": b"\x00value",
        "headers": (("h", b"\xff"), ("h", None)),
        "reason": DeadLetterReason.TRUNCATED,
        "text": "ends too early",
        "failed_at_ms": 4,
    }
    return over_the_wire(DEAD_LETTERS, outputs.dead_letter_record(**arguments | changes))


def test_dead_letter() -> None:
    """A dead letter keeps the bytes, the place and the reason."""
    assert dead_letter() == {
        "topic": "form-fills",
        "partition": 1,
        "offset": 2,
        "timestamp": 3,
        "key": b"\xffkey",
        "value": b"\x00value",
        "headers": [{"name": "h", "value": b"\xff"}, {"name": "h", "value": b""}],
        "reason": "truncated: ends too early",
        "lead_id": None,
        "failed_at": 4,
    }
    assert dead_letter(key=None, value=None, headers=())["value"] is None


def test_dead_letter_is_never_too_large() -> None:
    """Of an overlong record as much is kept as can be written, and the reason says so."""
    letter = dead_letter(value=b"v" * 50, text="t" * 5000, kept_bytes_max=20)
    assert letter["key"] == b"\xffkey"
    assert letter["value"] == b"v" * 16
    assert letter["headers"] == [{"name": "h", "value": b""}] * 2
    assert letter["reason"] == f"truncated: {'t' * 1000} (kept 20 of 55 bytes)"
