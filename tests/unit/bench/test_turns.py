"""Engines that take turns on one core."""

import sys
import time
from typing import cast

import psutil

from bench.program import Program, Usage
from bench.turns import TURN_EVENTS, Player, Turn, take_turns
from bench.watch import GroupPosition

LOOKS_MAX = 500
ALL_CORES = frozenset(psutil.Process().cpu_affinity() or ())


class Steps:
    """A player that commits in steps."""

    def __init__(self, *, events: int, step: int):
        self.events = events
        self.step = step
        self.asked: list[int] = []

    def play(self, until_events: int) -> Turn:
        self.asked.append(until_events)
        before = self.events
        while self.events < max(until_events, before + 1):
            self.events += self.step
        return Turn(events=self.events - before, seconds=2.0)


def test_players_come_to_their_numbers_in_as_many_turns():
    """Whoever has more to do has longer turns, so all are through in the same minutes."""
    slow, quick = Steps(events=0, step=1_000), Steps(events=500, step=7)

    rounds = take_turns(_players(slow, quick), [4 * TURN_EVENTS, 1_300])

    assert slow.asked == [TURN_EVENTS * each for each in (1, 2, 3, 4)]
    assert quick.asked == [700, 900, 1_100, 1_300]
    assert (rounds[0][0].events, rounds[0][1].events) == (TURN_EVENTS, 203)
    assert rounds[0][0].events_per_s == TURN_EVENTS / 2


class Growing:
    """A group that has committed more at every other look, while its program is not held."""

    def __init__(self):
        self.held = True
        self.events = 900
        self.looks = 0

    def committed(self):
        self.looks += not self.held
        return self.events + self.looks // 2 * 10

    def go_on(self):
        self.held = False

    def hold(self):
        self.held = True

    def check(self):
        assert not self.held

    find_children = check

    def usage(self):
        return Usage(cpu_s=0.0, rss_bytes=self.looks)


def test_who_is_through_gets_on_by_a_commit_a_turn():
    """An engine that is held for long would lose its place in its group."""
    engine = Growing()
    player = Player(cast("Program", engine), cast("GroupPosition", engine))

    turns = [player.play(until_events=each) for each in (920, 900)]

    assert [each.events for each in turns] == [20, 10]
    assert engine.held
    assert player.memory_bytes == engine.looks


def test_a_program_that_is_held_does_nothing_until_it_goes_on(tmp_path):
    """Beside an engine in its turn no other takes time; also one that is held can be stopped."""
    count = "import sys, time\nwhile True: time.sleep(0.01); print('on', flush=True)"
    log = tmp_path / "log"
    with Program([sys.executable, "-c", count], log=log, on=ALL_CORES) as program:
        _wait_for_more(log)
        program.hold()
        held = log.stat().st_size
        time.sleep(0.2)
        assert log.stat().st_size == held

        program.go_on()
        _wait_for_more(log)
        program.hold()

    assert not psutil.pid_exists(program.pid)


def _players(*steps):
    return cast("list[Player]", list(steps))


def _wait_for_more(log):
    size = log.stat().st_size
    for _ in range(LOOKS_MAX):
        if log.stat().st_size > size:
            return
        time.sleep(0.01)
    raise AssertionError("it does nothing")
