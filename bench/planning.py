"""Plans an installation from measured figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

DAY_S = 86_400
MB, TB = 1e6, 1e12
PARTITIONS_MULTIPLE = 12
"""Divides evenly among many numbers of workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is asked for.

    Parameters
    ----------
    peak : float
        The busiest second, by the mean one.
    load : float
        Share of its speed at which a worker is to run: latency was measured there.
    """

    events_a_day: float = 1e9
    leads: float = 1e8
    peak: float = 3.0
    load: float = 0.5
    retention_days: float = 30.0
    replicas: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What that takes.

    Parameters
    ----------
    peak_per_s : float
        Events.
    workers : int
        Cores for them; one each.
    worker_disk_gb : float
        Of each, with as much again for compaction.
    take_over_s : float
        For the leads of one worker, where its local state is lost.
    sinks : int
        Cores for them.
    broker_mb_per_s : float
        Written in the busiest second, replicas among them.
    broker_tb, clickhouse_tb : float
        Kept.
    """

    peak_per_s: float
    workers: int
    partitions: int
    worker_disk_gb: float
    take_over_s: float
    sinks: int
    broker_mb_per_s: float
    broker_tb: float
    clickhouse_tb: float


def reading_back_s(crowd: Mapping[str, Any]) -> float:
    """Return the seconds that a lead's state takes to be read back; 0 for too few to tell."""
    return max(0.0, float(crowd["lost_s"] - crowd["stopped_s"])) / float(crowd["leads"])


def planned(demand: Demand, figures: Mapping[str, Any]) -> Installation:
    """Plan for a demand by the figures of `everything`."""
    peak_per_s = demand.events_a_day / DAY_S * demand.peak
    workers = ceil(peak_per_s / (figures["ours_whole_product"] * demand.load))
    crowd, sink = figures["state"][-1], figures["sink"]
    leads = demand.leads / workers
    kept_events = demand.events_a_day * demand.retention_days
    broker_bytes = (sink["input_bytes"] + sink["output_bytes"]) * demand.replicas
    return Installation(
        peak_per_s=peak_per_s,
        workers=workers,
        partitions=ceil(2 * workers / PARTITIONS_MULTIPLE) * PARTITIONS_MULTIPLE,
        worker_disk_gb=2 * leads * crowd["disk_mb"] / crowd["leads"] / 1_000,
        take_over_s=crowd["stopped_s"] + leads * reading_back_s(crowd),
        sinks=ceil(peak_per_s * sink["rows_per_event"] / (sink["rows_per_s"] * demand.load)),
        broker_mb_per_s=peak_per_s * broker_bytes / MB,
        broker_tb=kept_events * broker_bytes / TB,
        clickhouse_tb=kept_events * sink["clickhouse_bytes"] / TB,
    )
