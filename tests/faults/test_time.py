"""Clocks that jump, history that is old, and one lead that takes nearly everything."""

from threading import Event

import pytest

from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

HOUR_MS = 60 * MINUTE_MS
SITE = '''
"""Shifts the clock of a process by what a file says; read at each look at the clock."""
import os, time
_real, _file = time.time_ns, os.environ.pop("SHIFTED_CLOCK_FILE")
def time_ns():
    with open(_file) as stream:
        return _real() + int(stream.read()) * 1_000_000
time.time_ns = time_ns
time.time = lambda: time_ns() / 1e9
'''


class Clock:
    """The wall clock of workers, to be moved while they run."""

    def __init__(self, folder, python_path):
        self._file = folder / "shift"
        self.set(0)
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(SITE)
        self.variables = {
            "PYTHONPATH": f"{site}:{python_path}",
            "SHIFTED_CLOCK_FILE": str(self._file),
        }

    def set(self, shift_ms):
        new = self._file.with_suffix(".new")
        new.write_text(str(shift_ms))
        new.replace(self._file)


@pytest.fixture
def clock(tmp_path, pytestconfig):
    return Clock(tmp_path, pytestconfig.rootpath)


def test_a_clock_that_jumps(cluster, ending, seed, clock):
    """States depend on event time alone, however the worker's clock jumps under it."""
    traffic = Traffic(seed=seed)
    cluster.worker_variables = clock.variables
    cluster.start_workers(2)
    cluster.send_live(traffic.live(6_000), rate_per_s=200)
    for shift_ms in (20 * MINUTE_MS, -20 * MINUTE_MS, 0, -24 * HOUR_MS, 0):
        Event().wait(5.0)
        clock.set(shift_ms)
    ending("clock jumps, 20 min and a day", times=5, traffic=traffic)


@pytest.mark.parametrize(
    "shift_ms", [365 * 24 * HOUR_MS, -365 * 24 * HOUR_MS], ids=["fast", "slow"]
)
def test_a_clock_far_off_is_refused(cluster, ending, seed, clock, shift_ms):
    """A worker a year off the broker's clock ends, names the clock, and leaves nothing wrong."""
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(200, last_ms=now_ms()))
    clock.set(shift_ms)

    code, said = cluster.run_worker(**clock.variables)

    assert code in (1, 70), said
    assert "clock" in said
    cluster.start_worker()
    ending("clock a year off", times=1, traffic=traffic)


def test_a_lag_of_hours(cluster, ending, seed):
    """A backlog of a day is folded as it would have been live, and the present after it."""
    traffic = Traffic(seed=seed, leads=500)
    for hours in (24, 12, 3):
        last_ms = now_ms() - hours * HOUR_MS
        cluster.send(traffic.backlog(20_000, last_ms=last_ms, spread_ms=9 * HOUR_MS))
    cluster.start_workers(2)
    cluster.send_live(traffic.live(4_000), rate_per_s=300)
    ending("lag of a day, then live", times=1, traffic=traffic)


def test_a_hot_lead(cluster, ending, seed):
    """One lead with nine of ten events keeps its order; the others are scored as ever."""
    traffic = Traffic(seed=seed, leads=200, hot_share=0.9)
    cluster.send(traffic.backlog(30_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(2)
    cluster.send_live(traffic.live(3_000), rate_per_s=300)
    # The independent fold sums over all events of a lead for each: it leaves out the hot one.
    hot = frozenset({f"lead-{seed}-0"})
    ending("hot lead, 90 %", times=1, traffic=traffic, left_out=hot)
