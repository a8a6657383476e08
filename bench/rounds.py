"""Rounds: every engine once, then every engine again, so that all share the same minutes."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.answers import WrongAnswer
from bench.cores import Cores
from bench.engines.catalogue import SLOW
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.inputs import Inputs, Progress
from bench.throughput import Throughput, measure
from leadvelocity.settings import Settings


@dataclass(slots=True, kw_only=True)
class Record:
    """What an engine has shown so far.

    Parameters
    ----------
    measured : list of Throughput
    failures : list of str
        Why a run of it counts for nothing.
    """

    title: str
    measured: list[Throughput] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often, on what, and where.

    Parameters
    ----------
    rounds_max : int
    until_s : float
        By the clock that only goes forward: no round begins that would end after it, if it took
        as long as the longest so far. The first round always runs.
    inputs, few : Inputs
        The events, and fewer for slow engines.
    """

    rounds_max: int
    until_s: float
    inputs: Inputs
    few: Inputs
    cores: Cores
    folder: Path


def run_rounds(
    engines: Sequence[Engine], plan: Plan, settings: Settings, progress: Progress
) -> Mapping[str, Record]:
    """Measure the engines in turn.

    Returns
    -------
    mapping of str to Record
        By the engine's key.
    """
    records = {each.key: Record(title=each.title) for each in engines}
    longest_s = 0.0
    for number in range(1, plan.rounds_max + 1):
        began_s = time.monotonic()
        if number > 1 and began_s + longest_s > plan.until_s:
            progress("there is no time for another round")
            break
        for engine in engines:
            name = f"{engine.key.replace('_', '-')}-{number}"
            run = Run(
                name=name,
                settings=settings,
                inputs=plan.few if engine.key in SLOW else plan.inputs,
                folder=plan.folder / name,
            )
            progress(f"round {number}: {_measure(engine, run, plan.cores, records[engine.key])}")
        longest_s = max(longest_s, time.monotonic() - began_s)
    return records


def _measure(engine: Engine, run: Run, cores: Cores, record: Record) -> str:
    """Measure once, and say what came out."""
    try:
        measured = measure(engine, run, cores)
    except (BenchFailed, WrongAnswer) as error:
        record.failures.append(str(error))
        return f"{engine.title}: {error}"
    record.measured.append(measured)
    return (
        f"{engine.title}: {measured.events_per_s:,.0f} events/s"
        f" ({measured.late_events_per_s:,.0f} in the second half),"
        f" {measured.cpu_us_per_event:.1f} us of processor, load {os.getloadavg()[0]:.1f}"
    )
