"""Event-time merge of a task's inputs: the order in which events count (exact rule 6)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Generic, TypeVar, final

from scoring.compiling import mypyc_attr

AT_ONCE: Final = -(1 << 62)
"""Sorts before every event: what cannot be read does not wait for others."""

_NEVER: Final = (1 << 62) - 1


@mypyc_attr(acyclic=True)
class Timed:
    """What can be merged.

    Parameters
    ----------
    time_ms : int
        Where it sorts: event time, or `AT_ONCE`.
    content : object
        What is merged by it.
    """

    __slots__ = ("time_ms", "content")

    def __init__(self, time_ms: int, content: Any) -> None:
        self.time_ms: Final = time_ms
        self.content: Final = content


T = TypeVar("T", bound=Timed)


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

    __slots__ = ("_queues", "_taken")

    def __init__(self, inputs: int) -> None:
        self._queues: Final[list[list[T]]] = [[] for _ in range(inputs)]
        self._taken: Final[list[int]] = [0] * inputs

    def __len__(self) -> int:
        return sum([len(queue) for queue in self._queues])

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
        popped: list[T] = []
        while len(popped) < items_max and self._take_run(popped, at_end, items_max):
            pass
        for source, taken in enumerate(self._taken):
            del self._queues[source][:taken]
            self._taken[source] = 0
        return popped

    def _take_run(self, popped: list[T], at_end: Sequence[bool], items_max: int) -> bool:
        """Take from the input whose head is first, up to the head of another; False: none may."""
        first, first_ms, upto_ms = -1, _NEVER, _NEVER  # `first` stays it up to there
        blocked = False
        for source, queue in enumerate(self._queues):
            head = self._taken[source]
            if head == len(queue):
                blocked = blocked or not at_end[source]
                continue
            head_ms = queue[head].time_ms
            if head_ms < first_ms:
                first, first_ms, upto_ms = source, head_ms, first_ms  # a tie is the earlier's
            else:
                upto_ms = min(upto_ms, head_ms + 1)
        if blocked:
            upto_ms = min(upto_ms, AT_ONCE + 1)
        if first_ms >= upto_ms:
            return False
        queue, head = self._queues[first], self._taken[first]
        end = min(len(queue), head + items_max - len(popped))
        while head < end and queue[head].time_ms < upto_ms:
            popped.append(queue[head])
            head += 1
        self._taken[first] = head
        return True
