"""State in memory: quick to use, read anew from the changelog after a restart."""

from collections.abc import Container, Iterator

from streams.cooling import CoolingTimers
from streams.state_store import Changes, StateFormat


class MemoryStore:
    """Entries in a dictionary, and a queue of those that are due.

    Parameters
    ----------
    state_format : StateFormat
    """

    def __init__(self, state_format: StateFormat) -> None:
        self._format = state_format
        self._entries: dict[bytes, bytes] = {}
        self._timers = CoolingTimers()
        self.offset = 0

    def get(self, key: bytes) -> bytes | None:
        """Return an entry."""
        return self._entries.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return entries in the order of `keys`."""
        return [self._entries.get(key) for key in keys]

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Return all entries."""
        return iter(self._entries.items())

    def next_due_ms(self, *, skip: Container[bytes]) -> int | None:
        """Return when the next entry is due."""
        while (first := self._timers.peek()) is not None:
            due_ms, key = first
            if key not in skip:
                return due_ms
            self._timers.pop()  # it comes again when it is committed
        return None

    def take_due(self, *, skip: Container[bytes], until_ms: int, entries_max: int) -> list[bytes]:
        """Return the keys of entries due up to `until_ms`, earliest first."""
        keys: list[bytes] = []
        while len(keys) < entries_max:
            due_ms = self.next_due_ms(skip=skip)
            if due_ms is None or due_ms > until_ms:
                break
            keys.append(self._timers.pop())
        return keys

    def apply(self, changes: Changes, *, offset: int) -> None:
        """Take changes and the offset after them."""
        for key, value in changes.items():
            if value is None:
                self._entries.pop(key, None)
                self._timers.set(key, None)
            else:
                self._entries[key] = value
                self._timers.set(key, self._format.due_ms(key, value))
        self.offset = offset

    def clear(self) -> None:
        """Throw everything away."""
        self._entries.clear()
        self._timers = CoolingTimers()
        self.offset = 0

    def close(self) -> None:
        """Keep the entries, for the case that the task comes back."""

    def reopen(self) -> None:
        """Bring back the due times that an agent took, and then did not commit."""
        self._timers = CoolingTimers()
        for key, value in self._entries.items():
            self._timers.set(key, self._format.due_ms(key, value))


class MemoryStores:
    """Copies in memory; those of tasks that a worker keeps over a rebalance stay."""

    def __init__(self) -> None:
        self._stores: dict[tuple[str, str], MemoryStore] = {}

    def open(self, name: str, state_format: StateFormat, *, changelog_id: str) -> MemoryStore:
        """Open the copy of a task's state."""
        store = self._stores.get((name, changelog_id))
        if store is None:
            store = self._stores[name, changelog_id] = MemoryStore(state_format)
        else:
            store.reopen()
        return store

    def held(self) -> Iterator[str]:
        """Return the names of tasks whose state is here."""
        return iter([name for name, _ in self._stores])

    def retain(self, names: set[str]) -> None:
        """Let go of the copies of other tasks."""
        self._stores = {key: each for key, each in self._stores.items() if key[0] in names}
