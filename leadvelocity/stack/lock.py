"""A lock on a folder, held by one process at a time and given back by its death."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from leadvelocity.stack.errors import StackBusy

FILE_NAME = "stack.lock"


@contextmanager
def locked(
    directory: Path, *, within_s: float, waiting: Callable[[], None], ask_again_s: float = 0.1
) -> Iterator[None]:
    """Hold the lock of `directory`.

    Parameters
    ----------
    within_s : float
        How long to wait for it.
    waiting : callable
        Called once if another process holds it.
    ask_again_s : float
        Pause between two tries; a lock cannot be awaited with a limit.

    Raises
    ------
    StackBusy
        Another process held it for `within_s`.
    """
    deadline_s = time.monotonic() + within_s
    told = False
    while (descriptor := _taken(directory / FILE_NAME)) is None:
        if not told:
            waiting()
            told = True
        if time.monotonic() > deadline_s:
            raise StackBusy(
                f"another command has worked on the stack in {directory} for {within_s:g} s;"
                " let it end, or end it, and run this again"
            )
        Event().wait(ask_again_s)
    try:
        yield
    finally:
        os.close(descriptor)


def _taken(path: Path) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)  # a `wipe` may just have removed it
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # `wipe` removes the file: who got the lock of a removed file has locked nothing.
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
