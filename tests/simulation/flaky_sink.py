"""A store of rows that is away at times, takes a part of a block, or keeps its answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from sinks.memory import MemorySink
from sinks.port import Block, RejectedRow, SinkRejected, SinkUnavailable

REFUSED = "refused"
"""The lead whose rows the store never takes."""


@dataclass(slots=True)
class FlakySink:
    """One process's way to the store, which all share.

    Parameters
    ----------
    away : float
        Chance that a call fails: before it has an effect, after a part of it, or after all.
    """

    store: MemorySink
    chance: Random
    alive: Callable[[], bool]
    away: float

    def positions(self, topic: str) -> dict[int, int]:
        self._maybe_away()
        return self.store.positions(topic)

    def write(self, block: Block) -> None:
        if not self.alive():
            return
        self._maybe_away()
        if REFUSED in block.columns["lead_id"]:
            raise SinkRejected("never", topic=block.topic, partition=block.partition)
        if block.rows > 1 and self.chance.random() < self.away:
            self.store.write(block.halves()[0])
            raise SinkUnavailable("cut off amid a block")
        self.store.write(block)
        self._maybe_away()

    def reject(self, rows: Sequence[RejectedRow]) -> None:
        if not self.alive():
            return
        self._maybe_away()
        self.store.reject(rows)
        self._maybe_away()

    def note_position(self, topic: str, partition: int, position: int) -> None:
        if not self.alive():
            return
        self._maybe_away()
        self.store.note_position(topic, partition, position)
        self._maybe_away()

    def _maybe_away(self) -> None:
        if self.chance.random() < self.away:
            raise SinkUnavailable("away")
