"""The port between an agent and its task's committed state."""

from collections.abc import Container, Iterator, Sequence
from typing import Protocol


class State(Protocol):
    """Entries that are committed, by key, and which of them are due when.

    What was folded since the last commit is not in here; the agent keeps that itself and says so
    with `skip`: the keys whose entry here is out of date.
    """

    def get(self, key: bytes) -> bytes | None:
        """Return an entry."""
        ...

    def get_many(self, keys: list[bytes]) -> Sequence[bytes | None]:
        """Return entries in the order of `keys`; quicker than one by one where they are on disk."""
        ...

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Return all entries; the state must not change meanwhile."""
        ...

    def next_due_ms(self, *, skip: Container[bytes]) -> int | None:
        """Return when the next entry is due, in event time, or a time before it.

        None: none ever is.
        """
        ...

    def take_due(self, *, skip: Container[bytes], until_ms: int, entries_max: int) -> list[bytes]:
        """Return the keys of entries due up to `until_ms`, earliest first.

        Each that is returned must be changed before the next commit.
        """
        ...


class NoState:
    """The state of a task that keeps none."""

    def get(self, key: bytes) -> bytes | None:
        """Return nothing."""

    def get_many(self, keys: list[bytes]) -> Sequence[bytes | None]:
        """Return nothing."""
        return [None] * len(keys)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Return nothing."""
        return iter(())

    def next_due_ms(self, *, skip: Container[bytes]) -> int | None:
        """Return nothing."""

    def take_due(self, **_: object) -> list[bytes]:
        """Return nothing."""
        return []
