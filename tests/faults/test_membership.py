"""Workers that come and go, and workers that sleep."""

import random
import signal
from threading import Event

import pytest

from tests.faults.cluster import SESSION_TIMEOUT_MS
from tests.faults.stores import STORES, settings_of
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ASLEEP_S = SESSION_TIMEOUT_MS / 1_000 * 1.6


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_polite_joins_and_leaves_under_a_backlog(cluster, ending, seed, store):
    """Eight workers join and leave while a backlog is folded; none loses an event or fails."""
    cluster.worker_variables = settings_of(store)
    traffic = Traffic(seed=seed, leads=2_000)
    cluster.send(traffic.backlog(80_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.wait_until_owner(cluster.start_worker())
    codes = []
    for _ in range(8):
        name = cluster.start_worker()
        cluster.wait_until_owner(name)
        codes.append(cluster.supervisor.leave(name))
    ending(f"polite join and leave, {store}", times=8, traffic=traffic)

    assert codes == [0] * 8, cluster.logs()
    assert cluster.supervisor.codes() == [], cluster.logs()


@pytest.mark.slow
def test_a_storm_of_rebalances(cluster, ending, seed):
    """Joins and leaves that overlap, some polite and some not, lose and double nothing."""
    traffic = Traffic(seed=seed, leads=1_000)
    randomness = random.Random(seed)
    cluster.send(traffic.backlog(60_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(2)
    cluster.send_live(traffic.live(12_000), rate_per_s=300)
    for _ in range(12):
        names = cluster.supervisor.names("worker")
        if len(names) < 4:
            cluster.start_worker()
        if len(names) > 2:
            number = randomness.choice((signal.SIGTERM, signal.SIGKILL))
            cluster.supervisor.leave(randomness.choice(names), number)
        Event().wait(randomness.uniform(0.5, 4.0))
    ending("rebalance storm of 2 to 4 workers", times=12, traffic=traffic)


@pytest.mark.parametrize("store", STORES)
def test_a_sleeper_wakes_after_its_tasks_went_to_others(cluster, ending, seed, store):
    """A worker stopped past the session timeout writes nothing more for tasks it has lost."""
    sleep(cluster, ending, seed, store, times=1, count=6_000)


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_sleepers_wake_again_and_again(cluster, ending, seed, store):
    """Four sleepers in a row, each amid transactions, are fenced or rejoin cleanly."""
    sleep(cluster, ending, seed, store, times=4, count=150_000)


def sleep(cluster, ending, seed, store, *, times, count):
    cluster.worker_variables = settings_of(store)
    traffic = Traffic(seed=seed, leads=1_000)
    cluster.send(traffic.backlog(count, last_ms=now_ms() - 10 * MINUTE_MS))
    names = cluster.start_workers(2)
    cluster.send_live(traffic.live(round(200 * ASLEEP_S * times)), rate_per_s=200)
    cluster.wait(lambda: cluster.folded() > 0, seconds=60, what="the first transaction")
    randomness = random.Random(seed)
    for number in range(times):
        sleeper = names[number % 2]
        Event().wait(randomness.uniform(0.2, 1.5))
        cluster.supervisor.hit(sleeper, signal.SIGSTOP)
        Event().wait(ASLEEP_S)
        cluster.supervisor.hit(sleeper, signal.SIGCONT)
        Event().wait(randomness.uniform(1.0, 4.0))
    ending(f"SIGSTOP past the session, {store}", times=times, traffic=traffic)

    assert set(cluster.supervisor.codes()) <= {70}, cluster.logs()
