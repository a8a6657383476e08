"""What the stack knows of each of its three servers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Progress = Callable[[str], None]
"""Takes one line on what is going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to be started."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Part(Protocol):
    """A server of the stack."""

    @property
    def name(self) -> str:
        """The word for it in messages."""
        ...

    @property
    def ports(self) -> Sequence[int]:
        """The loopback ports that it listens on, its main one first."""
        ...

    @property
    def log(self) -> Path:
        """The file that it logs to."""
        ...

    @property
    def stop_within_s(self) -> float:
        """How long a clean stop may take."""
        ...

    def prepare(self, progress: Progress) -> Command:
        """Bring files in place for a start.

        Raises
        ------
        StackError
            What is needed cannot be had.
        """
        ...

    def answers(self) -> bool:
        """Return whether it answers a real request now."""
        ...
