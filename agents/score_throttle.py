"""Which leads' scores are published now: each at most once in a while, the last always."""

from collections.abc import Iterable

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
        self._written = list(self._due_ms)

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
            published_ms = published.get(key)
            if published_ms is None or key in promoted:
                due[key] = 0
            elif key not in due:
                due[key] = published_ms + INTERVAL_MS
        taken = [key for key, due_ms in due.items() if due_ms <= now_ms]
        beyond = len(due) - len(taken) - OWED_MAX
        if beyond > 0:
            waiting = [key for key, due_ms in due.items() if due_ms > now_ms]
            taken += waiting[:beyond]
        for key in taken:
            del due[key]
            if key in published:
                del published[key]
            published[key] = now_ms
        return taken

    def next_due_ms(self) -> int | None:
        """Return when the next score that waits is to be published, by the wall clock."""
        return min(self._due_ms.values(), default=None)

    def news(self) -> list[bytes] | None:
        """Return whose score is owed, the longest waiting first, if that differs from last time."""
        owed = list(self._due_ms)
        if owed == self._written:
            return None
        self._written = owed
        return owed

    def _forget(self, now_ms: int) -> None:
        published, until_ms = self._published_ms, now_ms - INTERVAL_MS
        past: list[bytes] = []
        for key, published_ms in published.items():
            if published_ms > until_ms:
                break
            past.append(key)
        for key in past:
            del published[key]
