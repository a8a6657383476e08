"""Records that kill the worker that handles them."""

import sys

import pytest

from schemas.topics import INPUT_TOPICS
from tests.faults.deadly_worker import DEADLY_FOLD, DEADLY_READ
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

DEADLY_WORKER = (sys.executable, "-m", "tests.faults.deadly_worker")


def deadly(event_id, at_ms):
    return {
        "type": "website_visit",
        "event_id": event_id,
        "lead_id": f"lead-of-{event_id}",
        "occurred_at": at_ms,
        "url": "https://x.example/docs",
    }


@pytest.mark.parametrize("step", [DEADLY_READ, DEADLY_FOLD])
def test_a_record_that_kills_is_set_aside(cluster, ending, seed, step):
    """
    A record that kills its worker whenever it is read, or folded, ends in the dead letters after
    a bounded number of deaths; all others are scored once.
    """
    traffic = Traffic(seed=seed)
    began_ms = now_ms() - 20 * MINUTE_MS
    cluster.send(traffic.backlog(1_500, last_ms=began_ms))
    cluster.send([deadly(step, began_ms + 1)])
    cluster.send(traffic.backlog(1_500, last_ms=began_ms + 10 * MINUTE_MS, spread_ms=MINUTE_MS))
    cluster.start_worker(program=DEADLY_WORKER)

    poison = frozenset(
        (message.topic(), message.partition(), message.offset())
        for message in cluster.reader.read(INPUT_TOPICS)
        if step.encode() in (message.value() or b"")
    )
    assert len(poison) == 1
    verdict = ending(f"a {step} record", times=1, traffic=traffic, poison=poison, seconds=400)

    assert 6 <= len(cluster.supervisor.codes()) <= 12
    letters = [each.record["reason"] for each in cluster.reader.snapshot().letters]
    assert len(letters) == 1
    assert letters[0].startswith("quarantined: ")
    assert verdict.events == 3_001
