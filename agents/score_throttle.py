"""Which leads' scores are published now: each at most once in a while, the last always."""

from collections.abc import Iterable, Iterator

INTERVAL_MS = 1_000
"""Least time between two scores of a lead whose tier stays."""

OWED_MAX = 10_000
"""So many scores may wait; beyond, they are published sooner. The list is kept in the changelog."""


class ScoreThrottle:
    """Remembers whose score was published within the last second, and whose still has to be.

    Parameters
    ----------
    owed : iterable of bytes
        Leads whose latest score was not published when the owner before ended.
    """

    def __init__(self, owed: Iterable[bytes] = ()) -> None:
        self._published_ms: dict[bytes, int] = {}  # in the order of times
        self._due_ms: dict[bytes, int] = dict.fromkeys(owed, 0)
        self._written = frozenset(self._due_ms)

    def take(self, changed: Iterable[bytes], promoted: set[bytes], *, now_ms: int) -> list[bytes]:
        """Return the leads whose score is to be published now.

        Parameters
        ----------
        changed : iterable of bytes
            Leads whose state changed since the last call.
        promoted : set of bytes
            Those whose tier changed: they do not wait.
        now_ms : int
            Wall clock, UTC epoch milliseconds.
        """
        self._forget(now_ms)
        due, published = self._due_ms, self._published_ms
        for key in changed:
            if key in promoted or key not in published:
                due[key] = 0
            elif key not in due:
                due[key] = published[key] + INTERVAL_MS
        taken = [key for key, due_ms in due.items() if due_ms <= now_ms]
        taken.extend(self._beyond(len(due) - len(taken) - OWED_MAX, now_ms))
        for key in taken:
            del due[key]
            published.pop(key, None)
            published[key] = now_ms
        return taken

    def next_due_ms(self) -> int | None:
        """Return when the next score that waits is to be published, by the wall clock."""
        return min(self._due_ms.values(), default=None)

    def news(self) -> frozenset[bytes] | None:
        """Return whose score is owed, if that differs from the last time."""
        owed = frozenset(self._due_ms)
        if owed == self._written:
            return None
        self._written = owed
        return owed

    def _beyond(self, count: int, now_ms: int) -> Iterator[bytes]:
        if count > 0:
            waiting = (key for key, due_ms in self._due_ms.items() if due_ms > now_ms)
            yield from [key for key, _ in zip(waiting, range(count), strict=False)]

    def _forget(self, now_ms: int) -> None:
        published = self._published_ms
        while published:
            key = next(iter(published))
            if published[key] > now_ms - INTERVAL_MS:
                break
            del published[key]
