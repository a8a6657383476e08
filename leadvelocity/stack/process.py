"""Detached processes, known by their id and start time."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAME_START_S = 2.0  # start times are computed from the boot time, which a clock step may shift


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessId:
    """A process, told apart from a later one with the same number.

    Parameters
    ----------
    started_at_s : float
        Epoch seconds.
    """

    pid: int
    started_at_s: float


def start(command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> ProcessId:
    """Start `command` in a session of its own, with its output in `log` (emptied first).

    It outlives this process and gets no signal of this terminal.

    Raises
    ------
    OSError
        The program cannot be run.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    pid = os.posix_spawn(
        command[0],
        list(command),
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
    )
    return ProcessId(pid=pid, started_at_s=psutil.Process(pid).create_time())


def find(identity: ProcessId) -> psutil.Process | None:
    """Return the living process, or None if it has ended (or its number is another's now)."""
    try:
        process = psutil.Process(identity.pid)
        if abs(process.create_time() - identity.started_at_s) > _SAME_START_S:
            return None
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
        process.wait(timeout=0)  # a child of ours: take its exit status, so that it is gone
    except (psutil.NoSuchProcess, psutil.TimeoutExpired):
        pass
    return None


def ended(process: psutil.Process, *, within_s: float) -> bool:
    """Wait until `process` ends, for `within_s` at most; return whether it did."""
    try:
        process.wait(timeout=within_s)
    except psutil.TimeoutExpired:
        return False
    return True


def stop(process: psutil.Process, *, within_s: float) -> bool:
    """End `process`: by SIGTERM, after `within_s` by SIGKILL.

    Returns
    -------
    bool
        True if it ended by itself, false if it had to be killed.
    """
    try:
        process.terminate()
        if ended(process, within_s=within_s):
            return True
        process.kill()
        process.wait()
    except psutil.NoSuchProcess:
        return True
    return False
