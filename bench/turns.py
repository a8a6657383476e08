"""Engines on one core, in turns: what each does in the same minutes can be compared."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.program import Program
from bench.watch import GroupPosition, watch

TURN_EVENTS = 200_000
"""Some seconds at most: no engine is held for so long that its group gives it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What an engine did in a turn; it begins and ends just after a commit."""

    events: int
    seconds: float

    @property
    def events_per_s(self) -> float:
        """How fast it was."""
        return self.events / self.seconds


class Player:
    """An engine that is held but for its turns.

    Parameters
    ----------
    program : Program
    position : GroupPosition
        Of its group.

    Attributes
    ----------
    memory_bytes : int
        The most that was resident.
    """

    def __init__(self, program: Program, position: GroupPosition) -> None:
        self.memory_bytes = 0
        self._program = program
        self._position = position

    @property
    def events(self) -> int:
        """How many its group has committed."""
        return self._position.committed()

    def play(self, until_events: int) -> Turn:
        """Let it go on to the commit by which so many events are done, one commit at least.

        Raises
        ------
        BenchFailed
        """
        before = self.events
        began_s = time.monotonic()
        self.go_on()
        looks = watch(
            self._position,
            [self._program],
            until=lambda look: look.events >= max(until_events, before + 1),
        )
        self._program.hold()
        self.memory_bytes = max(self.memory_bytes, *(each.rss_bytes for each in looks))
        return Turn(events=looks[-1].events - before, seconds=looks[-1].at_s - began_s)

    def go_on(self) -> None:
        """Hold it no more."""
        self._program.go_on()

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._program.stop(politely=False)


def take_turns(players: Sequence[Player], until: Sequence[int]) -> list[tuple[Turn, ...]]:
    """Let players come to their numbers of committed events, all in as many turns.

    Parameters
    ----------
    until : sequence of int
        One for each player.

    Returns
    -------
    list of tuple of Turn
        Of each round, one for each player.

    Raises
    ------
    BenchFailed
    """
    begins = [each.events for each in players]
    ways = [end - begin for begin, end in zip(begins, until, strict=True)]
    rounds = max(1, max(ways) // TURN_EVENTS)
    return [
        tuple(
            player.play(begin + way * number // rounds)
            for player, begin, way in zip(players, begins, ways, strict=True)
        )
        for number in range(1, rounds + 1)
    ]
