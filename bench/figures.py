"""What was measured, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from statistics import median
from typing import Any

from bench.rounds import Record
from bench.throughput import Throughput


def throughput_figures(records: Mapping[str, Record]) -> dict[str, Any]:
    """Return the figures of rounds.

    Returns
    -------
    dict
        Under each engine's key its median events a second (None: it never did the work), and
        under `throughput` every measure with median, least and most, and the failures.
    """
    medians = {
        key: round(median(each.events_per_s for each in record.measured))
        if record.measured
        else None
        for key, record in records.items()
    }
    return {
        **medians,
        "throughput": {key: _engine(record) for key, record in records.items()},
    }


def _engine(record: Record) -> dict[str, Any]:
    return {
        "title": record.title,
        "runs": [asdict(each) for each in record.measured],
        "failures": record.failures,
        **{
            field.name: spread([getattr(each, field.name) for each in record.measured])
            for field in fields(Throughput)
            if record.measured
        },
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, least and most."""
    return {"median": median(values), "least": min(values), "most": max(values)}
