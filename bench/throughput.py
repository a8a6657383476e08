"""Throughput end to end: preloaded topics in, outputs, state and positions committed."""

import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.cores import Cores
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.inputs import delete_topics
from bench.program import Program
from bench.servers import place
from bench.watch import GroupPosition, Look, watch

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """One measurement.

    Parameters
    ----------
    events_per_s : float
        From the first commit that was seen to the last.
    late_events_per_s : float
        The same over the second half, when virtual machines are warm.
    middle_events_per_s : float
        The same from a quarter of the events to three quarters: of several workers, which have
        more or less to do, none has begun late, and none is through.
    cpu_us_per_event : float
        Processor time of the engine's processes, all their threads.
    memory_mb : float
        The most that was resident.
    start_s : float
        From the start of the process to the first commit.
    """

    events_per_s: float
    late_events_per_s: float
    middle_events_per_s: float
    cpu_us_per_event: float
    memory_mb: float
    start_s: float


def measure(engine: Engine, run: Run, cores: Cores, *, workers: int = 1) -> Throughput:
    """Run an engine over loaded topics, check its answers, and clear away what it made.

    Parameters
    ----------
    workers : int
        How many processes share the work; each gets a core of `cores.engine` in turn.

    Raises
    ------
    BenchFailed
        The engine did not do the work.
    WrongAnswer
        It did another.
    """
    place(run.settings, cores.servers)
    engine.prepare(run)
    position = GroupPosition(run.settings.kafka.connection(), run.group, run.inputs)
    try:
        began_s = time.monotonic()
        with ExitStack() as running:
            programs = [
                running.enter_context(
                    Program(engine.command(run), log=run.folder / f"{each}.log", on=on)
                )
                for each, on in enumerate(_cores_of(cores, workers))
            ]
            looks = watch(position, programs, until=lambda look: look.events >= run.inputs.records)
            engine.check(run)
    except BenchFailed as error:
        raise BenchFailed(f"{engine.title}: {error}") from None
    finally:
        position.close()
        delete_topics(run.settings, prefix=run.group)
    shutil.rmtree(run.folder)
    shutil.rmtree(run.settings.directory / "state", ignore_errors=True)
    if not engine.commits_at_end:
        looks = without_last_commit(looks)
    return throughput(looks, began_s=began_s)


def without_last_commit(looks: Sequence[Look]) -> list[Look]:
    """Return what was seen up to the last commit but one: the last waited for an interval."""
    until = max((each.events for each in looks if each.events < looks[-1].events), default=0)
    last = next((each for each in looks if each.events == until), looks[0])
    return [each for each in looks if each.at_s <= last.at_s]


def throughput(looks: Sequence[Look], *, began_s: float) -> Throughput:
    """Return the figures of what was seen.

    Parameters
    ----------
    looks : sequence of Look
        From the first commit to the last.
    began_s : float
        When the process was started.
    """
    first, last = looks[0], looks[-1]
    if last.events == first.events:
        raise BenchFailed("all was committed at once: more events are needed to tell its speed")
    quarter, half, three_quarters = (_reached(looks, share) for share in (0.25, 0.5, 0.75))
    return Throughput(
        events_per_s=_rate(first, last),
        late_events_per_s=_rate(first if half is last else half, last),
        middle_events_per_s=_rate(first if quarter is three_quarters else quarter, three_quarters),
        cpu_us_per_event=(last.cpu_s - first.cpu_s) / (last.events - first.events) * 1e6,
        memory_mb=max(each.rss_bytes for each in looks) / MB,
        start_s=first.at_s - began_s,
    )


def _reached(looks: Sequence[Look], share: float) -> Look:
    """Return the first look at which so much of what was seen was done."""
    events = looks[0].events + share * (looks[-1].events - looks[0].events)
    return next(each for each in looks if each.events >= events)


def _rate(one: Look, other: Look) -> float:
    return (other.events - one.events) / (other.at_s - one.at_s)


def _cores_of(cores: Cores, workers: int) -> list[frozenset[int]]:
    if workers == 1:
        return [cores.engine]
    each = sorted(cores.engine)
    return [frozenset([each[number % len(each)]]) for number in range(workers)]
