"""What a large state costs: speed, memory and disk; and how soon a worker is back."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from agents.rerouting import owner_of
from bench.cores import Cores
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.follower import Follower
from bench.program import Program
from bench.servers import place
from bench.throughput import MB
from bench.traffic import Encoding, Sending
from bench.turns import Player, take_turns
from bench.watch import GroupPosition
from bench.workload import Crowd

READY_S_MAX = 600.0
PROBES = 16
"""Sent at a time, so that each partition is likely to have one."""

PROBE_EVERY_S = 0.25

Speeds = list[float]
"""Events a second, of each turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowded:
    """An engine to whose topics a crowd was loaded; its servers are its own."""

    engine: Engine
    run: Run
    crowd: Crowd
    cores: Cores


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSize:
    """What was seen at a number of leads.

    Parameters
    ----------
    events_per_s : list of float
        Of each turn, of leads as active as Zipf's law says, after each lead has had one event.
    even_events_per_s : list of float
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
    events_per_s: Speeds
    even_events_per_s: Speeds
    memory_mb: float
    disk_mb: float
    killed_s: float
    stopped_s: float
    lost_s: float


def measure_states(crowds: Sequence[Crowded]) -> list[StateSize]:
    """Let engines with crowds take turns, kill them, then start each of them in three ways.

    Parameters
    ----------
    crowds : sequence of Crowded
        The largest first: no engine is held for long while others fold their crowds.

    Raises
    ------
    BenchFailed
    """
    with ExitStack() as running:
        players: list[Player] = []
        for each in crowds:
            players.append(running.enter_context(_player(each)))
            take_turns(players, [each.crowd.leads for each in crowds[: len(players)]])
        speeds = _speeds(players, [each.crowd for each in crowds])
        for player in players:
            player.go_on()
        return [
            _size(each, player, active, alike)
            for each, player, active, alike in zip(crowds, players, *speeds, strict=True)
        ]


@contextmanager
def _player(crowded: Crowded) -> Iterator[Player]:
    """Start an engine."""
    run = crowded.run
    place(run.settings, crowded.cores.servers)
    crowded.engine.prepare(run)
    position = GroupPosition(run.settings.kafka.connection(), run.group, run.inputs)
    with closing(position), _program(crowded) as program:
        yield Player(program, position)


def _speeds(players: Sequence[Player], crowds: Sequence[Crowd]) -> tuple[list[Speeds], ...]:
    """Return the speeds in each turn of each player: first of active leads, then of any alike.

    Of both, the middle half is measured: before it RocksDB merges what was left to merge, after it
    some of a worker's tasks, which do not get on alike, are through.
    """
    quarters = [
        take_turns(players, [each.leads + each.further * quarter // 4 for each in crowds])
        for quarter in (1, 3, 5, 7)
    ]
    return tuple(
        [[turn.events_per_s for turn in turns] for turns in zip(*quarter, strict=True)]
        for quarter in quarters[1::2]
    )


def _size(crowded: Crowded, player: Player, active: Speeds, alike: Speeds) -> StateSize:
    settings = crowded.run.settings
    state = settings.directory / "state"
    encoding = Encoding(settings, leads=1)
    player.kill()
    killed_s = _ready_s(crowded, encoding)
    disk_mb = sum(each.stat().st_size for each in state.rglob("*") if each.is_file()) / MB
    stopped_s = _ready_s(crowded, encoding)
    shutil.rmtree(state, ignore_errors=True)
    lost_s = _ready_s(crowded, encoding)
    return StateSize(
        leads=crowded.crowd.leads,
        events_per_s=active,
        even_events_per_s=alike,
        memory_mb=player.memory_bytes / MB,
        disk_mb=disk_mb,
        killed_s=killed_s,
        stopped_s=stopped_s,
        lost_s=lost_s,
    )


def _program(crowded: Crowded) -> Program:
    run = crowded.run
    logs = len(list(run.folder.glob("*.log")))
    command = crowded.engine.command(run)
    return Program(command, log=run.folder / f"{logs}.log", on=crowded.cores.engine)


def _ready_s(crowded: Crowded, encoding: Encoding) -> float:
    """Start it, send probes until every partition has answered one, and stop it cleanly."""
    settings, topic = crowded.run.settings, crowded.engine.output(crowded.run)
    partitions = settings.topics.partitions
    sending = Sending(settings=settings)
    with Follower(settings.kafka.connection(), topic, partitions=partitions) as follower:
        began_s = time.monotonic()
        with _program(crowded) as program:
            while len(_answered(follower, partitions)) < partitions:
                program.check()
                if time.monotonic() > began_s + READY_S_MAX:
                    raise BenchFailed(f"it was not ready in time; {program.last_lines()}")
                sending.send(encoding.probes(PROBES), rate=PROBES / PROBE_EVERY_S)
            return time.monotonic() - began_s


def _answered(follower: Follower, partitions: int) -> set[int]:
    return {owner_of(key.decode(), partitions) for key in list(follower.seen_ms)}
