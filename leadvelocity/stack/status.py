"""How the parts of a stack are."""

from dataclasses import dataclass
from enum import StrEnum

import psutil

from leadvelocity.stack import process
from leadvelocity.stack.part import Part
from leadvelocity.stack.record import StackRecord


class PartState(StrEnum):
    """How a part is."""

    RUNNING = "running"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """One part, as `status` tells of it.

    Parameters
    ----------
    pid : int or None
        None if it does not run.
    port : int
        Its main port.
    memory_bytes : int or None
        Resident memory.
    """

    name: str
    state: PartState
    pid: int | None
    port: int
    memory_bytes: int | None


def running(part: Part, record: StackRecord) -> psutil.Process | None:
    """Return the process that runs as `part`, if it lives."""
    identity = record.processes.get(part.name)
    return process.find(identity) if identity else None


def status_of(part: Part, record: StackRecord) -> PartStatus:
    """Return how `part` is: it died if it was started, was not stopped, and does not run."""
    pid = memory_bytes = None
    state = PartState.DIED if part.name in record.processes else PartState.STOPPED
    found = running(part, record)
    if found is not None:
        try:
            memory_bytes = found.memory_info().rss
            state, pid = PartState.RUNNING, found.pid
        except psutil.NoSuchProcess:
            pass  # just now
    return PartStatus(
        name=part.name, state=state, pid=pid, port=part.ports[0], memory_bytes=memory_bytes
    )
