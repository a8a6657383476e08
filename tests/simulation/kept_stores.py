"""Local copies that outlive a process, as RocksDB's do: a crash cuts them back, never tears."""

from collections.abc import Iterator
from random import Random

from streams.memory_store import MemoryStore
from streams.state_store import Changes, StateFormat


class KeptStore(MemoryStore):
    """Remembers what was applied, so that a crash can undo the last of it."""

    def __init__(self, state_format: StateFormat) -> None:
        super().__init__(state_format)
        self.applied: list[tuple[Changes, int]] = []

    def apply(self, changes: Changes, *, offset: int) -> None:
        super().apply(changes, offset=offset)
        self.applied.append((dict(changes), offset))

    def clear(self) -> None:
        super().clear()
        self.applied.clear()


class KeptStores:
    """The state folder of one machine."""

    def __init__(self) -> None:
        self._stores: dict[str, KeptStore] = {}

    def open(self, name: str, state_format: StateFormat, *, changelog_id: str) -> KeptStore:
        """Open a copy: what the folder holds of it, read anew."""
        kept = self._stores.get(name)
        store = self._stores[name] = KeptStore(state_format)
        for changes, offset in kept.applied if kept is not None else ():
            store.apply(changes, offset=offset)
        return store

    def crash(self, chance: Random) -> None:
        """Lose the last commits that had not reached the disk, and let go of open copies."""
        for name, store in self._stores.items():
            after = self._stores[name] = KeptStore(store._format)
            for changes, offset in store.applied[
                : len(store.applied) - chance.choice((0, 0, 1, 3))
            ]:
                after.apply(changes, offset=offset)

    def held(self) -> Iterator[str]:
        return iter(tuple(self._stores))

    def retain(self, names: set[str]) -> None:
        """Keep all: they are on disk."""
