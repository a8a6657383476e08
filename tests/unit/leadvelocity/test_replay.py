"""A replay is the pure fold: the same bytes, whichever way the events are told."""

import json

import pytest

from leadvelocity.options import json_text
from leadvelocity.replaying import Replay, document, replay_events
from leadvelocity.scoring_model import load_model
from schemas.outputs import scored_event_record
from scoring.event import Event, EventType
from scoring.fold import fold
from scoring.outcome import Outcome

DAY_MS = 86_400_000


def form(number, lead, at_ms, form_id="demo"):
    return Event(
        type=EventType.FORM_FILL,
        event_id=f"e{number}",
        lead_id=lead,
        occurred_at_ms=at_ms,
        machine=None,
        fields={"form_id": form_id},
        profile={"company_size": 300},
    )


EVENTS = [
    form(number, f"lead-{number % 7}", 1_000_000 + number * 60_000, ("demo", "trial")[number % 2])
    for number in range(60)
]


@pytest.fixture
def model():
    return load_model(None)


def test_the_same_bytes_every_time(model):
    """Two replays of a file print the same."""
    texts = {json_text(document(replay_events(EVENTS, model, partitions=4))) for _ in range(2)}
    assert len(texts) == 1
    assert len(json.loads(texts.pop())["leads"]) == 7


def test_partitions_do_not_change_what_happens_to_a_lead(model):
    """Another partition count gives the same states, and the same changes in another order."""
    few, many = (replay_events(EVENTS, model, partitions=partitions) for partitions in (1, 12))

    def changes(replays):
        found = [change for replay in replays for change in replay.changes]
        return sorted(found, key=lambda change: (change.lead_id, change.seq))

    assert document(few)["leads"] == document(many)["leads"]
    assert changes(few) == changes(many)


def test_inputs_are_merged_by_event_time(model):
    """An earlier event of another topic counts first, though it was sent last."""
    visit = Event(
        type=EventType.WEBSITE_VISIT,
        event_id="v",
        lead_id="lead-0",
        occurred_at_ms=1,
        machine=None,
        fields={"url": "/pricing"},
        profile={},
    )
    first = replay_events([visit, *EVENTS], model, partitions=4)
    last = replay_events([*EVENTS, visit], model, partitions=4)
    assert document(first) == document(last)


def test_timers_fire_up_to_until(model):
    """Silence cools a lead at its foretold moment, and not before."""
    replay = Replay(model=model)
    for event in EVENTS:
        replay.event(event)
    due = min(state.due_ms or 0 for state in replay.states.values())
    before = len(replay.changes)
    replay.fire_all(until_ms=due - 1)
    assert len(replay.changes) == before
    replay.fire_all(until_ms=due)
    assert [change.occurred_at_ms for change in replay.changes[before:]] == [due]


def test_scored_events_fold_to_the_same(model):
    """Folding `scored-events` gives what folding the events gave, decay in between included."""
    direct, told = Replay(model=model), Replay(model=model)
    for event in [*EVENTS, EVENTS[-1]]:
        outcome = fold(direct.states.get(event.lead_id), event, model).outcome
        direct.event(event)
        told.scored(_record(event, outcome))
        told.scored(_record(event, Outcome.FORWARDED))
    due = max(state.due_ms or 0 for state in direct.states.values())
    for lead_id in list(direct.states):
        direct.fire(lead_id, until_ms=due)
        told.scored(
            scored_event_record(
                lead_id=lead_id, occurred_at_ms=due, outcome=Outcome.DECAY, model_version="m"
            )
        )
    assert told.states == direct.states
    assert told.changes == direct.changes


def _record(event, outcome):
    return scored_event_record(
        lead_id=event.lead_id,
        occurred_at_ms=event.occurred_at_ms,
        event=event,
        outcome=outcome,
        model_version="m",
    )
