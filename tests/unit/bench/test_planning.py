"""Planning an installation."""

import pytest

from bench.planning import Demand, planned

FIGURES = {
    "ours_whole_product": 8_000,
    "state": [{"leads": 1_000_000, "disk_mb": 500.0, "lost_s": 45.0, "stopped_s": 5.0}],
    "sink": {
        "rows_per_s": 40_000.0,
        "rows_per_event": 2.0,
        "input_bytes": 100.0,
        "output_bytes": 400.0,
        "clickhouse_bytes": 50.0,
    },
}
DEMAND = Demand(events_a_day=864e6, leads=8e6, peak=3.0, load=0.5, retention_days=10.0, replicas=3)


def test_the_plan_follows_from_the_figures():
    """Each number of the plan can be computed by hand from its formula."""
    plan = planned(DEMAND, FIGURES)

    assert plan.peak_per_s == pytest.approx(30_000)
    assert (plan.workers, plan.partitions, plan.sinks) == (8, 24, 3)
    assert plan.worker_disk_gb == pytest.approx(1.0)
    assert plan.take_over_s == pytest.approx(45.0)
    assert plan.broker_mb_per_s == pytest.approx(45.0)
    assert plan.broker_tb == pytest.approx(12.96)
    assert plan.clickhouse_tb == pytest.approx(0.432)
