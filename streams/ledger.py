"""The port where a task's effects, state and positions become durable together."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from agents.state import State

E_contra = TypeVar("E_contra", contravariant=True)

Positions = Mapping[str, int]
"""For each input topic, the next offset to fold."""


class Ledger(Protocol[E_contra]):
    """What a task commits to. One owner at a time: opening it shuts out the owner before."""

    @property
    def restored(self) -> int:
        """How far the state has been read back; it grows as long as `open` gets on."""
        ...

    async def open(self) -> tuple[Positions, State]:
        """Shut out the owner before, settle what it left, and return positions and state.

        Inputs that are absent from the positions have never been folded.
        """
        ...

    async def commit(self, effects: E_contra, positions: Positions) -> None:
        """Make all of it durable, or nothing.

        Raises
        ------
        Exception
            Whatever the store says; the worker then exits, since it cannot know what holds.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
