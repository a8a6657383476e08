"""Event-time merge of a task's inputs: the order in which events count (exact rule 6)."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=tuple[Any, ...])
"""A tuple with its time first, in ms."""

AT_ONCE = -(1 << 62)
"""Sorts before every event: what cannot be read does not wait for others."""


class Merge(Generic[T]):
    """Merges ordered inputs by time, ties by input, without passing one that may still get items.

    Within an input the order of arrival is kept, so an input is a queue whose head alone
    competes. An empty input holds the others back until it is said to be at its end.

    Parameters
    ----------
    inputs : int
        Number of inputs; their order breaks ties.
    """

    __slots__ = ("_queues",)

    def __init__(self, inputs: int) -> None:
        self._queues: tuple[deque[T], ...] = tuple(deque() for _ in range(inputs))

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def waiting(self, source: int) -> int:
        """Return how many items of input `source` wait to be merged."""
        return len(self._queues[source])

    def add(self, source: int, items: Iterable[T]) -> None:
        """Add items to input `source` in their order of arrival."""
        self._queues[source].extend(items)

    def pop(self, at_end: Sequence[bool], items_max: int) -> list[T]:
        """Take the next items in merged order.

        Parameters
        ----------
        at_end : sequence of bool
            For each input, whether nothing more of it exists at present.
        items_max : int

        Returns
        -------
        list of T
            Empty when an input that is not at its end has nothing waiting.
        """
        taken: list[T] = []
        queues = self._queues
        while len(taken) < items_max:
            best: deque[T] | None = None
            best_ms = 0
            blocked = False
            for index, queue in enumerate(queues):
                if not queue:
                    blocked = blocked or not at_end[index]
                elif best is None or queue[0][0] < best_ms:
                    best, best_ms = queue, queue[0][0]
            if best is None or (blocked and best_ms != AT_ONCE):
                break
            taken.append(best.popleft())
        return taken
