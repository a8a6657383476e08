"""The demo's traffic is lifelike, and the same for the same seed."""

from collections import Counter

from leadvelocity.demo.generator import Poison, Stray, Traffic
from schemas.events import event_record, read_event
from scoring.event import Event, EventType

NOW_MS = 1_795_000_000_000


def items(*, seed=7, count=5_000, start_ms=NOW_MS):
    traffic = Traffic(seed=seed, leads=300, start_ms=start_ms)
    return [traffic.next(NOW_MS + number) for number in range(count)]


def test_equal_seeds_give_equal_traffic():
    """Seed and times decide all that is sent; another seed sends something else."""
    assert items() == items()
    assert items() != items(seed=8)


def test_another_run_sends_new_events_of_the_same_leads():
    """A second run's events are no doubles of the first one's."""
    first, second = (
        [each for each in items(start_ms=NOW_MS + run) if isinstance(each, Event)] for run in (0, 1)
    )
    assert not {each.event_id for each in first} & {each.event_id for each in second}
    assert {each.lead_id for each in first} == {each.lead_id for each in second}


def test_everything_that_happens_out_there_happens():
    """Every type, machines, late, doubled, stray and poisoned records are among it."""
    sent = items()
    events = [each for each in sent if isinstance(each, Event)]
    assert {each.type for each in events} == set(EventType)
    assert {each.machine for each in events} == {True, False, None}
    assert any(each.occurred_at_ms < NOW_MS - 10_000 for each in events)
    assert max(Counter(each.event_id for each in events).values()) > 1
    assert any(isinstance(each, Stray) for each in sent)
    assert any(isinstance(each, Poison) for each in sent)
    assert sum(isinstance(each, Poison) for each in sent) < len(sent) / 100


def test_events_follow_their_contracts():
    """What is sent as an event is read back as the same event."""
    for each in items():
        if isinstance(each, Event):
            assert read_event(*event_record(each)) == each
