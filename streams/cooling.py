"""Timers: when each lead next changes by time alone."""

import heapq

STALE_MIN = 1_000
"""Times that no longer hold are swept out once they are more than this and half of all."""


class CoolingTimers:
    """A queue of leads by the time their tier next changes; a lead counts with its latest time."""

    __slots__ = ("_due_ms", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[int, bytes]] = []
        self._due_ms: dict[bytes, int] = {}

    def set(self, key: bytes, due_ms: int | None) -> None:
        """Set the time of lead `key`; None takes it out."""
        if due_ms is None:
            self._due_ms.pop(key, None)
        elif self._due_ms.get(key) != due_ms:
            self._due_ms[key] = due_ms
            heapq.heappush(self._heap, (due_ms, key))
            if len(self._heap) > 2 * len(self._due_ms) + STALE_MIN:
                self._heap = [(each_ms, each) for each, each_ms in self._due_ms.items()]
                heapq.heapify(self._heap)

    def peek(self) -> tuple[int, bytes] | None:
        """Return the earliest time, in event time ms, and its lead."""
        heap = self._heap
        while heap and self._due_ms.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)  # a lead's earlier time that no longer holds
        return heap[0] if heap else None

    def pop(self) -> bytes:
        """Take out the lead that `peek` returned, and return it."""
        _, key = heapq.heappop(self._heap)
        del self._due_ms[key]
        return key
