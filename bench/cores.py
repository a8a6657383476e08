"""Which cores the engine and the servers run on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """How the machine is shared out; made before anything is moved.

    Parameters
    ----------
    engine : frozenset of int
        Of the engine that is measured.
    servers : frozenset of int
        Of Kafka, the registry, ClickHouse and of this program.
    """

    engine: frozenset[int]
    servers: frozenset[int]

    @classmethod
    def pinned(cls) -> Self:
        """Give the engine one core, the last, and the servers the others."""
        every = sorted(os.sched_getaffinity(0))
        return cls(engine=frozenset(every[-1:]), servers=frozenset(every[:-1] or every))

    @classmethod
    def one(cls) -> Self:
        """Let the engine and the servers share one core, the last."""
        last = cls.pinned().engine
        return cls(engine=last, servers=last)

    @classmethod
    def shared(cls) -> Self:
        """Let all run where there is room."""
        every = frozenset(os.sched_getaffinity(0))
        return cls(engine=every, servers=every)


@contextmanager
def on(cores: frozenset[int]) -> Iterator[None]:
    """Keep this thread, and what it starts meanwhile, on some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pid: int, cores: frozenset[int]) -> None:
    """Move a running process with all its threads to some cores."""
    for thread in psutil.Process(pid).threads():
        try:
            os.sched_setaffinity(thread.id, cores)
        except ProcessLookupError:
            continue  # it has just ended
