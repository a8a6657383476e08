"""Latency: from the append of an event to its tier change being visible to `read_committed`."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from threading import Event

from bench.cores import Cores
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.follower import Follower
from bench.inputs import Progress, delete_topics, truncate
from bench.program import Program
from bench.servers import place
from bench.traffic import Encoding, Ready, Sending
from schemas.topics import INPUT_TOPICS

WARMING_RATE, WARMING_S = 500.0, 5.0
READY_S_MAX = 90.0
DRAIN_S_MAX = 20.0
"""How long after the last event tier changes are waited for."""

ASK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What was seen at one rate.

    Parameters
    ----------
    rate : float
        Events a second that were asked for.
    reached : float
        Events a second that were sent; fewer, where the sender and the broker were too slow.
    samples : int
        Tier changes that were waited for.
    missing : int
        Of them, those that never came within `DRAIN_S_MAX`: the engine did not keep up.
    p50_ms, p99_ms, p999_ms, most_ms : float
        Of those that came.
    """

    rate: float
    reached: float
    samples: int
    missing: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    most_ms: float


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the least of some ordered values that at least `share` of them do not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is sent.

    Parameters
    ----------
    rates : tuple of float
        Events a second, one after the other.
    seconds : float
        How long each lasts.
    leads : int
        Among whom events are shared out.
    """

    rates: tuple[float, ...]
    seconds: float
    leads: int


def measure_latency(
    engine: Engine, run: Run, rates: Rates, cores: Cores, progress: Progress
) -> list[Latency]:
    """Run an engine under each rate in turn, and clear away what it made.

    Raises
    ------
    BenchFailed
        It does not work.
    """
    settings = run.settings
    place(settings, cores.servers)
    truncate(settings, INPUT_TOPICS)
    engine.prepare(run)
    encoding = Encoding(settings, leads=rates.leads)
    sending = Sending(settings=settings)
    topic = engine.output(run)
    connection, partitions = settings.kafka.connection(), settings.topics.partitions
    measured = []
    try:
        with (
            Program(engine.command(run), log=run.folder / "0.log", on=cores.engine) as program,
            Follower(connection, topic, partitions=partitions) as follower,
        ):
            _warm(encoding, sending, follower, program)
            for rate in rates.rates:
                records = encoding.records(round(rate * rates.seconds), rate=rate)
                measured.append(_at(records, rate, sending, follower, program))
                progress(f"{engine.title}: {_line(measured[-1])}")
                if measured[-1].missing:
                    break  # what it is behind would spoil the rates after it
    except BenchFailed as error:
        raise BenchFailed(f"{engine.title}: {error}") from None
    finally:
        delete_topics(settings, prefix=run.group)
    shutil.rmtree(run.folder)
    shutil.rmtree(settings.directory / "state", ignore_errors=True)
    return measured


def _line(seen: Latency) -> str:
    return (
        f"{seen.rate:,.0f} events/s: p50 {seen.p50_ms:.0f} ms, p99 {seen.p99_ms:.0f} ms,"
        f" p99.9 {seen.p999_ms:.0f} ms; {seen.missing} of {seen.samples} tier changes missing"
    )


def _warm(encoding: Encoding, sending: Sending, follower: Follower, program: Program) -> None:
    """Let the engine come up, and send it some events that count for nothing."""
    until_s = time.monotonic() + READY_S_MAX
    while not follower.seen_ms:
        program.check()
        if time.monotonic() > until_s:
            raise BenchFailed(f"no tier change came in time; {program.last_lines()}")
        sending.send(encoding.records(int(WARMING_RATE), rate=WARMING_RATE), rate=WARMING_RATE)
    events = int(WARMING_RATE * WARMING_S)
    sending.send(encoding.records(events, rate=WARMING_RATE), rate=WARMING_RATE)
    _drain([*sending.appended_ms], follower, program)


def _at(
    records: Sequence[Ready],
    rate: float,
    sending: Sending,
    follower: Follower,
    program: Program,
) -> Latency:
    reached = sending.send(records, rate=rate)
    probes = [each.key for each in records if each.is_probe]
    _drain(probes, follower, program)
    return latency(rate, reached, probes, appended_ms=sending.appended_ms, seen_ms=follower.seen_ms)


def _drain(probes: Sequence[bytes], follower: Follower, program: Program) -> None:
    until_s = time.monotonic() + DRAIN_S_MAX
    while time.monotonic() < until_s:
        program.check()
        if all(key in follower.seen_ms for key in probes):
            return
        Event().wait(ASK_AGAIN_S)


def latency(
    rate: float,
    reached: float,
    probes: Sequence[bytes],
    *,
    appended_ms: Mapping[bytes, int],
    seen_ms: Mapping[bytes, float],
) -> Latency:
    """Return the figures of what was seen.

    Parameters
    ----------
    probes : sequence of bytes
        Keys of the events that change a tier.
    appended_ms, seen_ms : mapping
        When each was appended, and when its tier change came.
    """
    came = sorted(seen_ms[key] - appended_ms[key] for key in probes if key in seen_ms)
    if not came:
        raise BenchFailed("no tier change came")
    return Latency(
        rate=rate,
        reached=reached,
        samples=len(probes),
        missing=len(probes) - len(came),
        p50_ms=quantile(came, 0.5),
        p99_ms=quantile(came, 0.99),
        p999_ms=quantile(came, 0.999),
        most_ms=came[-1],
    )
