"""Event-time merge of a task's inputs: the order in which events count (exact rule 6)."""

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar, final

AT_ONCE: Final = -(1 << 62)
"""Sorts before every event: what cannot be read does not wait for others."""

_NEVER: Final = (1 << 62) - 1


C = TypeVar("C")


class Timed(Generic[C]):
    """What can be merged.

    Parameters
    ----------
    time_ms : int
        Where it sorts: event time, or `AT_ONCE`.
    content : C
        What is merged by it.
    """

    __slots__ = ("time_ms", "content")

    def __init__(self, time_ms: int, content: C) -> None:
        self.time_ms: Final = time_ms
        self.content: Final = content


T = TypeVar("T", bound=Timed[Any])


@final
class _Queue(Generic[T]):
    """Items of one input, in the order of their arrival; those before `head` are taken."""

    __slots__ = ("head", "items")

    def __init__(self) -> None:
        self.items: list[T] = []
        self.head = 0

    def __len__(self) -> int:
        return len(self.items) - self.head

    def add(self, items: Sequence[T]) -> None:
        if 2 * self.head >= len(self.items):
            del self.items[: self.head]
            self.head = 0
        self.items.extend(items)


@final
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
        self._queues: Final[list[_Queue[T]]] = [_Queue() for _ in range(inputs)]

    def __len__(self) -> int:
        return sum([len(queue) for queue in self._queues])

    def waiting(self, source: int) -> int:
        """Return how many items of input `source` wait to be merged."""
        return len(self._queues[source])

    def add(self, source: int, items: Sequence[T]) -> None:
        """Add items to input `source` in their order of arrival."""
        self._queues[source].add(items)

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
        while len(taken) < items_max and self._take_run(taken, at_end, items_max):
            pass
        return taken

    def _take_run(self, taken: list[T], at_end: Sequence[bool], items_max: int) -> bool:
        """Take from the input whose head is first, up to the head of another; False: none may."""
        first: _Queue[T] | None = None
        first_ms = upto_ms = _NEVER  # of the first, and up to where it stays that
        blocked = False
        for index, queue in enumerate(self._queues):
            if queue.head == len(queue.items):
                blocked = blocked or not at_end[index]
                continue
            head_ms = queue.items[queue.head].time_ms
            if first is None or head_ms < first_ms:
                upto_ms, first_ms, first = first_ms, head_ms, queue  # a tie is the earlier input's
            else:
                upto_ms = min(upto_ms, head_ms + 1)
        if blocked:
            upto_ms = min(upto_ms, AT_ONCE + 1)
        if first is None or first_ms >= upto_ms:
            return False
        items, head = first.items, first.head
        end = min(len(items), head + items_max - len(taken))
        while head < end and items[head].time_ms < upto_ms:
            taken.append(items[head])
            head += 1
        first.head = head
        return True
