"""Laws of the event codec and of reading JSON lines."""

import json
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.events import OCCURRED_AT_MS_MAX, TOPICS, event_record, read_event
from schemas.outputs import event_from_scored_record, scored_event_record
from schemas.topics import SCORED_EVENTS
from scoring.event import Event, EventType, Scalar
from scoring.outcome import Outcome
from sources.json_lines import read_line

TEXTS = st.text(max_size=30)
IDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
TEXT_FIELDS = {
    EventType.WEBSITE_VISIT: ("url", "referrer", "user_agent", "campaign", "channel"),
    EventType.EMAIL_OPEN: ("message_id", "campaign_id", "user_agent", "campaign", "channel"),
    EventType.FORM_FILL: ("form_id", "user_agent", "campaign", "channel"),
}


@st.composite
def events(draw: st.DrawFn) -> Event:
    event_type = draw(st.sampled_from(EventType))
    fields = dict.fromkeys(TEXT_FIELDS[event_type], TEXTS)
    own: dict[str, Scalar] = draw(st.fixed_dictionaries({}, optional=fields))
    if event_type is EventType.WEBSITE_VISIT and draw(st.booleans()):
        own["duration_s"] = draw(st.floats(allow_nan=False, allow_infinity=False))
    answers = st.dictionaries(TEXTS, SCALARS, max_size=4)
    return Event(
        type=event_type,
        event_id=draw(IDS),
        lead_id=draw(IDS),
        occurred_at_ms=draw(st.integers(0, OCCURRED_AT_MS_MAX)),
        machine=draw(st.sampled_from([None, True, False])),
        fields=own,
        profile=draw(answers) if event_type is EventType.FORM_FILL else {},
    )


@cache
def codec(topic: str) -> tuple[Encoder, Decoder]:
    schemas = WriterSchemas()
    schemas.learn(1, contract(topic).text)
    return Encoder(contract(topic), 1), Decoder(contract(topic), schemas)


def types(event: Event) -> dict[str, type]:
    return {name: type(value) for name, value in {**event.fields, **event.profile}.items()}


@settings(deadline=None)
@given(events())
def test_topic_and_back(event: Event) -> None:
    """An event that goes through its topic comes out as it was, types and all."""
    topic, record = event_record(event)
    assert topic == TOPICS[event.type]
    encoder, decoder = codec(topic)
    back = read_event(topic, decoder.decode(encoder.encode(record)))
    assert back == event
    assert types(back) == types(event)


@settings(deadline=None)
@given(events())
def test_scored_events_and_back(event: Event) -> None:
    """An event that goes through scored-events comes out as it was: a replay folds the same."""
    record = scored_event_record(
        lead_id=event.lead_id,
        occurred_at_ms=event.occurred_at_ms,
        event=event,
        outcome=Outcome.SCORED,
        model_version="",
    )
    encoder, decoder = codec(SCORED_EVENTS)
    back = event_from_scored_record(decoder.decode(encoder.encode(record)))
    assert back == event
    assert types(back) == types(event)


@settings(deadline=None)
@given(events())
def test_json_line_and_back(event: Event) -> None:
    """An event that goes through a JSON line comes out as it was, types and all."""
    _, record = event_record(event)
    content = json.dumps({"type": event.type, **record}).encode()
    back = read_line(content, 1)
    assert back == event
    assert isinstance(back, Event)
    assert types(back) == types(event)
