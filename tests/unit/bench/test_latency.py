"""Latencies from what was sent and what was seen."""

import pytest

from bench.errors import BenchFailed
from bench.latency import latency, quantile


@pytest.mark.parametrize(
    ("share", "wanted"), [(0.5, 50.0), (0.99, 99.0), (0.999, 100.0), (1.0, 100.0)]
)
def test_a_quantile_is_one_of_the_values(share, wanted):
    """So much of what was seen took no longer than the figure says."""
    assert quantile([float(each) for each in range(1, 101)], share) == wanted


def test_what_never_came_is_counted():
    """An engine that drops or delays the slow ones does not look fast."""
    appended = {b"a": 1_000, b"b": 1_000, b"c": 1_000}
    measured = latency(
        100.0,
        99.0,
        [b"a", b"b", b"c"],
        appended_ms=appended,
        seen_ms={b"a": 1_010.0, b"c": 1_030.5},
    )

    assert (measured.samples, measured.missing) == (3, 1)
    assert (measured.p50_ms, measured.most_ms) == (10.0, 30.5)


def test_nothing_seen_is_no_figure():
    """Where no tier change came there is no latency, rather than a good one."""
    with pytest.raises(BenchFailed, match="no tier change"):
        latency(100.0, 99.0, [b"a"], appended_ms={b"a": 1}, seen_ms={})
