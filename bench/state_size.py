"""What a large state costs: speed, memory and disk; and how soon a worker is back."""

import shutil
import time
from dataclasses import dataclass

from agents.rerouting import owner_of
from bench.cores import Cores
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.follower import Follower
from bench.inputs import delete_topics
from bench.program import Program
from bench.servers import place
from bench.throughput import MB, throughput
from bench.traffic import Encoding, Sending
from bench.watch import GroupPosition, watch

READY_S_MAX = 600.0
PROBES = 16
"""Sent at a time, so that each partition is likely to have one."""

PROBE_EVERY_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSize:
    """What was seen at a number of leads.

    Parameters
    ----------
    events_per_s : float
        Of events of leads as active as Zipf's law says, after each lead has had one: over the
        second half of them, when RocksDB is done with what the first events left it to merge.
    even_events_per_s : float
        The same of events of any lead alike: where leads are many, most ask the disk.
    memory_mb : float
        The most that was resident.
    disk_mb : float
        Of the local state.
    killed_s : float
        From the start after a kill -9 until tier changes of every partition came.
    stopped_s : float
        The same after a clean stop.
    lost_s : float
        The same with no local state, by the changelog alone.
    """

    leads: int
    events_per_s: float
    even_events_per_s: float
    memory_mb: float
    disk_mb: float
    killed_s: float
    stopped_s: float
    lost_s: float


def measure_state(engine: Engine, run: Run, leads: int, cores: Cores) -> StateSize:
    """Give an engine a crowd of leads, then end and start it in three ways.

    Parameters
    ----------
    run : Run
        Its inputs are a crowd of `leads`.

    Raises
    ------
    BenchFailed
    """
    settings, state = run.settings, run.settings.directory / "state"
    place(settings, cores.servers)
    engine.prepare(run)
    restarts = _Restarts(engine, run, cores)
    position = GroupPosition(settings.kafka.connection(), run.group, run.inputs)
    try:
        with restarts.program() as program:
            looks = watch(position, [program], until=lambda look: look.events >= run.inputs.records)
            program.stop(politely=False)
        quarter = (run.inputs.records - leads) // 4
        active = [each for each in looks if quarter <= each.events - leads <= 2 * quarter]
        alike = [each for each in looks if 3 * quarter <= each.events - leads]
        killed_s = restarts.ready_s()
        disk_mb = sum(each.stat().st_size for each in state.rglob("*") if each.is_file()) / MB
        stopped_s = restarts.ready_s()
        shutil.rmtree(state, ignore_errors=True)
        lost_s = restarts.ready_s()
    except BenchFailed as error:
        raise BenchFailed(f"{engine.title}: {error}") from None
    finally:
        position.close()
        delete_topics(settings, prefix=run.group)
        shutil.rmtree(state, ignore_errors=True)
    shutil.rmtree(run.folder)
    return StateSize(
        leads=leads,
        events_per_s=throughput(active, began_s=looks[0].at_s).events_per_s,
        even_events_per_s=throughput(alike, began_s=looks[0].at_s).events_per_s,
        memory_mb=max(each.rss_bytes for each in looks) / MB,
        disk_mb=disk_mb,
        killed_s=killed_s,
        stopped_s=stopped_s,
        lost_s=lost_s,
    )


class _Restarts:
    """Starts an engine again and again."""

    def __init__(self, engine: Engine, run: Run, cores: Cores) -> None:
        self._engine = engine
        self._run = run
        self._cores = cores
        self._encoding = Encoding(run.settings, leads=1)
        self._number = 0

    def program(self) -> Program:
        log = self._run.folder / f"{self._number}.log"
        self._number += 1
        return Program(self._engine.command(self._run), log=log, on=self._cores.engine)

    def ready_s(self) -> float:
        """Start it, send probes until every partition has answered one, and stop it cleanly."""
        settings, topic = self._run.settings, self._engine.output(self._run)
        partitions = settings.topics.partitions
        sending = Sending(settings=settings)
        with Follower(settings.kafka.connection(), topic, partitions=partitions) as follower:
            began_s = time.monotonic()
            with self.program() as program:
                while len(_answered(follower, partitions)) < partitions:
                    program.check()
                    if time.monotonic() > began_s + READY_S_MAX:
                        raise BenchFailed(f"it was not ready in time; {program.last_lines()}")
                    sending.send(self._encoding.probes(PROBES), rate=PROBES / PROBE_EVERY_S)
                return time.monotonic() - began_s


def _answered(follower: Follower, partitions: int) -> set[int]:
    return {owner_of(key.decode(), partitions) for key in list(follower.seen_ms)}
