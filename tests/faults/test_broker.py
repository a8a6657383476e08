"""A broker that dies, sleeps, or stays away for long."""

import signal
from contextlib import suppress
from threading import Event

import pytest

from tests.faults.stores import STORES, settings_of
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

LONG_AWAY_S = 75.0
"""Longer than any request of a client may take, and than a commit may."""


@pytest.fixture
def awake(cluster):
    """Leaves the broker running, whatever happened to it."""
    yield
    with suppress(AssertionError):
        cluster.signal_part("kafka", signal.SIGCONT)
    cluster.pipeline.up()


BOUNDS = {
    "LEADVELOCITY_ENGINE__COMMIT_S_MAX": "20",
    "LEADVELOCITY_ENGINE__PROGRESS_S_MAX": "40",
}
"""Shorter than the defaults: a step that waits for a connection that died ends within them."""


def under_load(cluster, seed, store, *, backlog=60_000):
    cluster.worker_variables = settings_of(store) | BOUNDS
    traffic = Traffic(seed=seed, leads=1_000)
    cluster.send(traffic.backlog(backlog, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(2)
    cluster.start_sink()
    cluster.wait(lambda: cluster.folded() > 0, seconds=60, what="the first transaction")
    return traffic


def kill_broker(cluster, *, away_s):
    cluster.signal_part("kafka", signal.SIGKILL)
    Event().wait(away_s)
    cluster.pipeline.up()


@pytest.mark.parametrize("store", STORES)
def test_the_broker_is_killed_while_workers_fold(cluster, ending, seed, store, awake):
    """A broker killed amid transactions loses and doubles nothing once it is back."""
    traffic = under_load(cluster, seed, store)
    for away_s in (1.0, 6.0):
        kill_broker(cluster, away_s=away_s)
        Event().wait(3.0)
    cluster.send(traffic.backlog(2_000, last_ms=now_ms()))
    ending(f"kill -9 of the broker, {store}", times=2, traffic=traffic, rows=True)


def test_the_broker_is_killed_while_workers_restore(cluster, ending, seed, awake):
    """A broker killed while states are being restored makes none of them wrong."""
    traffic = under_load(cluster, seed, "memory")
    cluster.wait(cluster.caught_up, seconds=120, what="a long changelog")
    for _ in range(2):
        for name in cluster.supervisor.names("worker"):
            cluster.supervisor.hit(name, signal.SIGKILL)
        Event().wait(3.5)
        kill_broker(cluster, away_s=1.0)
    cluster.send(traffic.backlog(2_000, last_ms=now_ms()))
    ending("kill -9 of the broker during restore", times=2, traffic=traffic, rows=True)


@pytest.mark.parametrize("asleep_s", [8.0, 30.0])
def test_the_broker_sleeps(cluster, ending, seed, awake, asleep_s):
    """A broker that stands still for a while, then goes on, loses and doubles nothing."""
    traffic = under_load(cluster, seed, "memory")
    cluster.signal_part("kafka", signal.SIGSTOP)
    Event().wait(asleep_s)
    cluster.signal_part("kafka", signal.SIGCONT)
    cluster.send(traffic.backlog(2_000, last_ms=now_ms()))
    ending(f"SIGSTOP of the broker, {asleep_s:.0f} s", times=1, traffic=traffic, rows=True)


def test_the_broker_sleeps_while_workers_restore(cluster, ending, seed, awake):
    """A restore that meets a broker that stands still goes on or ends, and is whole either way."""
    traffic = under_load(cluster, seed, "memory")
    cluster.wait(cluster.caught_up, seconds=120, what="a long changelog")
    for name in cluster.supervisor.names("worker"):
        cluster.supervisor.hit(name, signal.SIGKILL)
    Event().wait(3.5)
    cluster.signal_part("kafka", signal.SIGSTOP)
    Event().wait(12.0)
    cluster.signal_part("kafka", signal.SIGCONT)
    cluster.send(traffic.backlog(2_000, last_ms=now_ms()))
    ending("SIGSTOP of the broker during restore", times=1, traffic=traffic, rows=True)


@pytest.mark.parametrize("store", STORES)
def test_the_broker_is_away_for_longer_than_requests_may_take(cluster, ending, seed, store, awake):
    """Workers without a broker end with code 70 or go on when it is back; neither has a hole."""
    traffic = under_load(cluster, seed, store)
    kill_broker(cluster, away_s=LONG_AWAY_S)
    cluster.send(traffic.backlog(2_000, last_ms=now_ms()))
    ending(f"broker away for 75 s, {store}", times=1, traffic=traffic, rows=True)

    assert set(cluster.supervisor.codes()) <= {1, 70}, cluster.logs()


def test_a_worker_without_a_broker_does_not_live_on_in_silence(cluster, seed, awake):
    """A worker that gets no answer from the broker exits with 70 and says why."""
    cluster.worker_variables = {
        "LEADVELOCITY_ENGINE__PROGRESS_S_MAX": "15",
        "LEADVELOCITY_ENGINE__COMMIT_S_MAX": "15",
    }
    cluster.send(Traffic(seed=seed).backlog(500, last_ms=now_ms()))
    name = cluster.start_worker()
    cluster.wait(cluster.caught_up, seconds=60, what="the first events")
    cluster.signal_part("kafka", signal.SIGSTOP)
    try:
        cluster.wait(lambda: bool(cluster.supervisor.codes(name)), seconds=90, what="giving up")
    finally:
        cluster.signal_part("kafka", signal.SIGCONT)

    assert cluster.supervisor.codes(name)[0] == 70
    assert "worker stops:" in cluster.log(name).read_text(errors="replace")
