"""The folder of a worker's local state: one worker at a time."""

import fcntl
import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from streams.exits import EngineError

LOCK_FILE = "lock"


class StateFolderRefused(EngineError):
    """A worker cannot have the folder that it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFolder:
    """A folder that belongs to this process until it ends.

    Parameters
    ----------
    path : Path
    descriptor : int
        Of the lock; the system lets go of it when the process ends, however it ends.
    """

    path: Path
    descriptor: int


def claim(folder: Path) -> StateFolder:
    """Take a folder for this process.

    Raises
    ------
    StateFolderRefused
        Another worker has it, or it cannot be written.
    """
    taken = _lock(folder)
    if taken is None:
        raise StateFolderRefused(
            f"another worker has the state folder {folder}: give each its own "
            "LEADVELOCITY_STATE_DIR, or none, then each takes a free one"
        )
    return taken


def claim_free(parent: Path) -> StateFolder:
    """Take the first numbered folder below `parent` that no other worker has.

    Raises
    ------
    StateFolderRefused
        The parent cannot be written.
    """
    for number in count():
        taken = _lock(parent / str(number))
        if taken is not None:
            return taken
    raise AssertionError("numbers do not end")


def _lock(folder: Path) -> StateFolder | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateFolderRefused(
            f"the state folder {folder} cannot be used: {error.strerror}; set "
            "LEADVELOCITY_STATE_DIR to one that this user may write"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return StateFolder(path=folder, descriptor=descriptor)
