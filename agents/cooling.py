"""Timers: when each lead next changes by time alone."""

import heapq


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

    def next_ms(self) -> int | None:
        """Return the earliest time, in event time ms."""
        heap = self._heap
        while heap and self._due_ms.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)  # a lead's earlier time that no longer holds
        return heap[0][0] if heap else None

    def pop(self, until_ms: int) -> bytes | None:
        """Take out the lead whose time is earliest and not after `until_ms`."""
        next_ms = self.next_ms()
        if next_ms is None or next_ms > until_ms:
            return None
        _, key = heapq.heappop(self._heap)
        del self._due_ms[key]
        return key
