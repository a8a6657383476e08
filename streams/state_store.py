"""The port between a ledger and the local copy of its task's state."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from agents.state import State
from streams.exits import EngineError

Changes = Mapping[bytes, bytes | None]
"""Entries by key; None removes one."""


class StateFormat(Protocol):
    """What an agent's entries look like, as far as a store and the changelog must know."""

    def check(self, key: bytes, value: bytes) -> None:
        """Read an entry wholly.

        Raises
        ------
        ValueError
            When this version did not write it and cannot read it.
        """
        ...

    def due_ms(self, key: bytes, value: bytes) -> int | None:
        """Return when an entry that was checked is due, in event time; quick."""
        ...


class StoreDoubtful(EngineError):
    """The local copy cannot be trusted; it is thrown away, the changelog has all of it."""


class StateStore(State, Protocol):
    """A local copy of what the changelog holds, up to an offset that moves with the entries."""

    @property
    def offset(self) -> int:
        """The changelog's offset up to which all is here; 0 for an empty copy."""
        ...

    def apply(self, changes: Changes, *, offset: int) -> None:
        """Take changes and the offset after them, both or neither.

        Raises
        ------
        StoreDoubtful
        OSError
            No room, no permission.
        """
        ...

    def clear(self) -> None:
        """Throw everything away."""
        ...

    def close(self) -> None:
        """Let go of files; what is kept can be opened again."""
        ...


class StateStores(Protocol):
    """The local copies of a worker's tasks."""

    def open(self, name: str, state_format: StateFormat, *, changelog_id: str) -> StateStore:
        """Open the copy of a task's state, empty if there is none to trust.

        Parameters
        ----------
        name : str
            Of the task.
        state_format : StateFormat
        changelog_id : str
            Identity of the changelog; a copy of another one is thrown away.
        """
        ...

    def held(self) -> Iterator[str]:
        """Return the names of tasks whose state is here, open or not."""
        ...

    def retain(self, names: set[str]) -> None:
        """Let go of the memory of closed copies of other tasks."""
        ...
