"""Workers that are killed, again and again, at any moment."""

import random
import signal
from threading import Event

import pytest

from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

STORES = ("memory", "rocksdb")
FACTS = {"memory": {}, "rocksdb": {"LEADVELOCITY_ENGINE__STORE": "rocksdb"}}


def storm(cluster, seed, *, seconds, kills, number=signal.SIGKILL):
    """Send a signal to a random worker at random moments; return how often."""
    randomness = random.Random(seed)
    for _ in range(kills):
        Event().wait(randomness.uniform(0.5, 1.5) * seconds / kills)
        cluster.supervisor.hit(randomness.choice(cluster.supervisor.names("worker")), number)
    return kills


@pytest.mark.parametrize("store", STORES)
def test_a_short_storm_of_kills(cluster, ending, seed, store):
    """Workers killed eight times in 20 s lose nothing and double nothing, with either store."""
    cluster.worker_variables = FACTS[store] | {"LEADVELOCITY_ENGINE__SESSION_TIMEOUT_MS": "3000"}
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(10_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(3)
    cluster.start_sink()
    cluster.send_live(traffic.live(4_000), rate_per_s=200)
    times = storm(cluster, seed, seconds=20, kills=8)
    ending(f"kill -9, {store}", times=times, traffic=traffic, rows=True)
