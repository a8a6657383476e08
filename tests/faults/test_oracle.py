"""The oracle itself: it passes honest topics, and names each way in which they can be wrong."""

import copy

import pytest

from agents.rerouting import owner_of
from leadvelocity.scoring_model import load_model
from schemas import lead_state, outputs
from schemas.events import TOPICS
from schemas.topics import INPUT_TOPICS, TIER_CHANGES
from scoring.event import EventType
from scoring.fold import fold
from scoring.outcome import Outcome
from scoring.state import LeadState
from tests.e2e.exact_rules import as_event, merged
from tests.e2e.swift_model import MODEL, MODEL_TEXT
from tests.faults.oracle import Expected, judge, judge_rows
from tests.faults.reading import Kept, Snapshot
from tests.faults.traffic import Traffic

BEGIN_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "swift.yaml"
    file.write_text(MODEL_TEXT)
    return load_model(file)


@pytest.fixture(scope="module")
def honest(model):
    """Return topics as one partition's honest worker leaves them, and what was sent."""
    traffic = Traffic(seed=11, leads=8)
    lines = traffic.backlog(400, last_ms=BEGIN_MS, spread_ms=240_000)
    snapshot, ends = Snapshot(), dict.fromkeys(INPUT_TOPICS, 0)
    states: dict[str, LeadState] = {}
    for line in merged(lines):
        topic, event = TOPICS[EventType(line["type"])], as_event(line)
        folded = fold(states.get(event.lead_id), event, model)
        states[event.lead_id] = folded.state
        place = (topic, 0, ends[topic])
        ends[topic] += 1
        snapshot.inputs[place] = b"value"
        record = outputs.scored_event_record(
            lead_id=event.lead_id,
            occurred_at_ms=event.occurred_at_ms,
            outcome=folded.outcome,
            model_version=model.version,
            event=event,
            input_topic=topic,
            input_partition=0,
            input_offset=place[2],
        )
        keep(snapshot.scored, record)
        for change in folded.changes:
            keep(
                snapshot.changes,
                outputs.tier_change_record(change, emitted_at_ms=1, received_at_ms=None),
            )
    snapshot.committed = {(topic, 0): end for topic, end in ends.items()}
    for lead_id, state in states.items():
        snapshot.states[lead_id.encode()] = lead_state.encode(state)
        score = outputs.lead_score_record(
            lead_id, state, model, at_ms=state.as_of_ms, updated_at_ms=1
        )
        keep(snapshot.scores, score)
    return snapshot, Expected(model=model, rules=MODEL, partitions=1, sent=traffic.made)


def keep(records, record):
    records.append(Kept(partition=0, offset=len(records), record=record))


def lose_an_event(snapshot):
    del snapshot.scored[50]


def double_an_event(snapshot):
    snapshot.scored.append(snapshot.scored[50])


def invent_an_event(snapshot):
    snapshot.scored[50].record["input_offset"] = 10_000


def swap_two_events(snapshot):
    first, second = [
        each for each in snapshot.scored if each.record["input_topic"] == "website-visits"
    ][:2]
    first.record["input_offset"], second.record["input_offset"] = (
        second.record["input_offset"],
        first.record["input_offset"],
    )


def lose_a_change(snapshot):
    del snapshot.changes[-1]


def double_a_change(snapshot):
    snapshot.changes.append(snapshot.changes[-1])


def bend_a_score(snapshot):
    snapshot.changes[3].record["score"] += 1e-9


def forget_a_state(snapshot):
    snapshot.states.popitem()


def keep_an_old_state(snapshot):
    key = next(iter(snapshot.states))
    snapshot.states[key] = snapshot.states[key][:-1] + b"\x00"


def keep_an_old_score(snapshot):
    snapshot.scores[0].record["seq"] -= 1


def bury_an_innocent(snapshot):
    dead = snapshot.scored.pop(50).record
    keep(
        snapshot.letters,
        {
            "topic": dead["input_topic"],
            "partition": 0,
            "offset": dead["input_offset"],
            "value": b"value",
            "reason": "bad_value: so",
        },
    )


def misread_an_event(snapshot):
    for each in snapshot.scored:
        if each.record["fields"].get("url", "").endswith("/pricing/a"):
            each.record["fields"]["url"] = "https://x.example/docs"


def call_a_double_new(snapshot):
    double = next(each for each in snapshot.scored if each.record["outcome"] == Outcome.DOUBLED)
    double.record["outcome"] = Outcome.SCORED


FORGERIES = {
    lose_an_event: {"lost", "committed_ahead"},
    double_an_event: {"doubled", "disordered"},
    invent_an_event: {"invented", "lost"},
    swap_two_events: {"disordered"},
    lose_a_change: {"change_missing"},
    double_a_change: {"change_extra", "seq"},
    bend_a_score: {"change_differs"},
    forget_a_state: {"state_differs"},
    keep_an_old_state: {"state_differs"},
    keep_an_old_score: {"score_differs"},
    bury_an_innocent: {"innocent_buried"},
    misread_an_event: {"change_differs"},
    call_a_double_new: {"double_misjudged"},
}


def test_honest_topics_pass(honest):
    """What one worker writes without any fault breaks no promise."""
    snapshot, expected = honest

    assert not judge(snapshot, expected).violations
    assert len(snapshot.changes) > 20


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_each_forgery_has_a_name(honest, forge):
    """Whatever is wrong with the topics, the oracle says what it is."""
    snapshot, expected = copy.deepcopy(honest[0]), honest[1]
    forge(snapshot)

    names = {each.name for each in judge(snapshot, expected).violations}

    assert names >= FORGERIES[forge]


def test_a_stray_is_forwarded_once_and_scored_at_its_owner_once(honest):
    """A forwarded record without an end at the owner is lost, and one with two is doubled."""
    lead_id = "stray"
    owner = owner_of(lead_id, 4)
    expected = Expected(model=honest[1].model, rules=MODEL, partitions=4)
    place = ("website-visits", (owner + 1) % 4, 0)
    record = {
        "lead_id": lead_id,
        "event_id": "e",
        "event_type": "website_visit",
        "occurred_at": BEGIN_MS,
        "machine": None,
        "fields": {},
        "profile": {},
        "input_topic": place[0],
        "input_partition": place[1],
        "input_offset": place[2],
    }
    there = Kept(partition=place[1], offset=0, record=record | {"outcome": "forwarded"})
    home = Kept(partition=owner, offset=0, record=record | {"outcome": "scored"})

    def names(*scored):
        snapshot = Snapshot(inputs={place: b""}, scored=list(scored))
        return {each.name for each in judge(snapshot, expected).violations}

    assert "lost" in names(there)
    assert "doubled" in names(there, home, home)
    assert "doubled" in names(there, there, home)
    assert "not_at_owner" in names(there, Kept(partition=place[1], offset=1, record=home.record))
    assert not names(there, home) & {"lost", "doubled", "not_at_owner"}


def test_rows_are_held_against_the_topics(honest):
    """A row that is missing, doubled or not of the topic is told by its place."""
    snapshot = honest[0]
    offsets = [each.offset for each in snapshot.changes]

    def names(shown):
        def sql(query):
            return [{"p": 0, "offsets": shown}] if TIER_CHANGES.replace("-", "_") in query else []

        return {each.name for each in judge_rows(snapshot, sql) if TIER_CHANGES in each.text}

    assert names(offsets) == set()
    assert names(offsets[1:]) == {"row_missing"}
    assert names([*offsets, 0]) == {"row_doubled"}
    assert names([*offsets, 999]) == {"row_extra"}
