"""Workers that are killed, or told to stop, again and again at any moment."""

import random
import signal
from threading import Event

import pytest

from tests.faults.oracle import positions_behind_effects
from tests.faults.stores import STORES, settings_of
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def storm(cluster, seed, *, seconds, hits, number=signal.SIGKILL):
    """Send a signal to workers at random moments; return how often.

    Of three hits two strike one that owns tasks, one strikes any: it may be taking over.
    """
    randomness = random.Random(seed)
    for hit in range(hits):
        Event().wait(randomness.uniform(0.1, 1.5) * seconds / hits)
        if hit % 3:
            cluster.wait(lambda: bool(cluster.owners()), seconds=90, what="taking over")
            Event().wait(randomness.uniform(0.0, 0.5))
        victims = (cluster.owners() if hit % 3 else []) or cluster.supervisor.names("worker")
        cluster.supervisor.hit(randomness.choice(victims), number)
        if hit % 6 == 5:
            ahead = list(positions_behind_effects(cluster.reader.snapshot()))
            assert not ahead, ahead[:5]
    return hits


@pytest.mark.parametrize("store", STORES)
def test_a_short_storm_of_kills(cluster, ending, seed, store):
    """Workers killed eight times in 20 s lose nothing and double nothing, with either store."""
    cluster.worker_variables = settings_of(store)
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(6_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(2)
    cluster.start_sink()
    cluster.send_live(traffic.live(6_000), rate_per_s=200)
    times = storm(cluster, seed, seconds=20, hits=8)
    ending(f"kill -9 of workers, 20 s, {store}", times=times, traffic=traffic, rows=True)


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_a_long_storm_of_kills(cluster, ending, seed, store):
    """Workers killed eighteen times in a minute, always under load, lose and double nothing."""
    cluster.worker_variables = settings_of(store)
    traffic = Traffic(seed=seed, leads=1_000)
    cluster.send(traffic.backlog(40_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(3)
    cluster.start_sink()
    cluster.send_live(traffic.live(24_000), rate_per_s=400)
    times = storm(cluster, seed, seconds=60, hits=18)
    ending(f"kill -9 of workers, 60 s, {store}", times=times, traffic=traffic, rows=True)


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_told_to_stop_at_any_moment(cluster, ending, seed, store):
    """SIGTERM at random moments, in take-over too, ends each worker by itself with code 0."""
    cluster.worker_variables = settings_of(store)
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(20_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(2)
    cluster.send_live(traffic.live(8_000), rate_per_s=200)
    times = storm(cluster, seed, seconds=40, hits=12, number=signal.SIGTERM)
    ending(f"SIGTERM of workers, {store}", times=times, traffic=traffic)

    # Before Python has set its handlers a SIGTERM ends it as any process.
    assert set(cluster.supervisor.codes()) <= {0, -signal.SIGTERM}, cluster.logs()
