"""The velocity agent and what others write to its input."""

from agents.lead_velocity import FunnelStateFormat, LeadVelocity, VelocityContext
from agents.records import Record
from schemas.contracts import contract
from schemas.decoding import Decoder
from schemas.topics import DEAD_LETTERS, LEAD_VELOCITY, TIER_CHANGES
from streams.memory_store import MemoryStore
from tests.unit.agents.makers import (
    NOW_MS,
    Scoring,
    an_event,
    decoded,
    encoders,
    record_of,
    writers,
)


def an_agent() -> LeadVelocity:
    known, ours = writers(), encoders()
    context = VelocityContext(
        top_rank=2,
        decoder=Decoder(contract(TIER_CHANGES), known),
        encoder=ours[LEAD_VELOCITY],
        letters=ours[DEAD_LETTERS],
        partials_max=100,
    )
    agent = LeadVelocity(context, partition=0)
    agent.restore(MemoryStore(FunnelStateFormat()))
    return agent


def changes(value: bytes | None, offset: int) -> Record:
    return Record(
        topic=TIER_CHANGES,
        partition=0,
        offset=offset,
        timestamp_ms=NOW_MS,
        key=b"ada",
        value=value,
        headers=(),
    )


def test_what_is_not_ours_is_set_aside_and_its_neighbours_are_counted() -> None:
    """
    A record that somebody else wrote to tier-changes becomes a dead letter and stops nobody.
    """
    scoring = Scoring()
    folded = scoring.fold(record_of(an_event(1, profile={})))
    ours = next(each for each in folded.outputs if each.topic == TIER_CHANGES)
    agent = an_agent()
    records = [changes(b"garbage", 0), changes(ours.value, 1), changes(None, 2)]

    agent.fold(agent.read(records), now_ms=NOW_MS)
    outputs = agent.take().outputs

    letters = [decoded(each.value, DEAD_LETTERS) for each in outputs if each.topic == DEAD_LETTERS]
    assert [(each["topic"], each["offset"]) for each in letters] == [
        (TIER_CHANGES, 0),
        (TIER_CHANGES, 2),
    ]
    windows = [each for each in outputs if each.topic == LEAD_VELOCITY]
    assert len(windows) == 3  # minute, hour, day


def test_nothing_of_velocity_happens_by_time_alone() -> None:
    """No entry is ever due and there is no timer, compiled too, where an empty body aborts."""
    assert FunnelStateFormat().due_ms(b"minute:0", b"") is None
    assert an_agent().next_timer_ms() is None
