"""Sinks and ClickHouse that die; rows that are written again, cut otherwise."""

import random
import signal
from threading import Event

import pytest

from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@pytest.mark.slow
def test_a_sink_begins_again_with_other_timing(cluster, ending, seed):
    """A sink killed and paused at random moments cuts its blocks otherwise, and doubles no row."""
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(6_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_worker()
    cluster.start_sink()
    cluster.send_live(traffic.live(3_000), rate_per_s=200)
    randomness = random.Random(seed)
    for number in range(6):
        Event().wait(randomness.uniform(0.5, 3.5))
        if number % 2:
            cluster.supervisor.hit("sink", signal.SIGSTOP)
            Event().wait(randomness.uniform(0.2, 1.5))
            cluster.supervisor.hit("sink", signal.SIGCONT)
        cluster.supervisor.hit("sink", signal.SIGKILL)
    ending("sink killed, other timing", times=6, traffic=traffic, rows=True)


@pytest.mark.slow
def test_two_sinks_at_once(cluster, ending, seed):
    """Sinks that share the work, join and leave write each row once."""
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(6_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_worker()
    cluster.start_sink("sink-1")
    cluster.send_live(traffic.live(5_000), rate_per_s=200)
    for _ in range(4):
        cluster.start_sink("sink-2")
        Event().wait(5.0)
        cluster.supervisor.leave(
            "sink-2", random.Random(seed).choice((signal.SIGTERM, signal.SIGKILL))
        )
    ending("sinks join and leave", times=4, traffic=traffic, rows=True)


def folds_on(cluster, *, since):
    cluster.wait(lambda: cluster.folded() > since, seconds=30, what="scoring without a store")


@pytest.mark.slow
def test_clickhouse_is_killed_and_comes_back(cluster, ending, seed):
    """While ClickHouse is dead nothing is lost and scoring goes on; then each row is there once."""
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(6_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_worker()
    cluster.start_sink()
    cluster.send_live(traffic.live(6_000), rate_per_s=200)
    for away_s in (0.5, 10.0):
        Event().wait(3.0)
        cluster.signal_part("clickhouse", signal.SIGKILL)
        folds_on(cluster, since=cluster.folded())
        Event().wait(away_s)
        cluster.pipeline.up()
    ending("kill -9 of ClickHouse", times=2, traffic=traffic, rows=True)

    assert cluster.supervisor.codes() == [], cluster.logs()
