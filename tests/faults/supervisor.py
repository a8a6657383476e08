"""Keeps roles running as an orchestrator does: what has ended is started again, and counted."""

import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, RLock, Thread

LOOK_S = 0.1
STOP_S_MAX = 45.0


@dataclass(slots=True, kw_only=True)
class Member:
    """A role that should run, its process of now, and how those before it ended.

    Parameters
    ----------
    spawn : callable
        Starts it.
    codes : list of int
        Exit codes; below zero: the signal.
    """

    spawn: Callable[[], subprocess.Popen]
    process: subprocess.Popen
    codes: list[int] = field(default_factory=list)


class Supervisor:
    """Looks after members by name.

    Parameters
    ----------
    restart_s : float
        Least time between an end and the next start.
    """

    def __init__(self, *, restart_s: float = 0.3) -> None:
        self._restart_s = restart_s
        self._members: dict[str, Member] = {}
        self._gone: list[int] = []
        self._lock = RLock()
        self._closed = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def start(self, name: str, spawn: Callable[[], subprocess.Popen]) -> None:
        """Start a member and keep it running."""
        with self._lock:
            self._members[name] = Member(spawn=spawn, process=spawn())

    def names(self, prefix: str = "") -> list[str]:
        """Return the members whose names begin with `prefix`."""
        with self._lock:
            return sorted(name for name in self._members if name.startswith(prefix))

    def pid(self, name: str) -> int:
        """Return the process id of a member."""
        with self._lock:
            return self._members[name].process.pid

    def hit(self, name: str, number: signal.Signals) -> None:
        """Send a member a signal, if it lives."""
        with self._lock:
            process = self._members[name].process
            if process.poll() is None:
                process.send_signal(number)

    def codes(self, name: str | None = None) -> list[int]:
        """Return how processes ended, of one member or of all that ever were."""
        with self._lock:
            members = self._members.values() if name is None else [self._members[name]]
            gone = self._gone if name is None else []
            return [*gone, *(code for each in members for code in each.codes)]

    def leave(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell a member to stop, start it no more, and return its exit code."""
        return self._ended(self._dismissed(name, number))

    def leave_all(self, prefix: str = "") -> list[int]:
        """Stop all members whose names begin with `prefix`; return their exit codes."""
        leaving = [self._dismissed(name, signal.SIGTERM) for name in self.names(prefix)]
        return [self._ended(process) for process in leaving]

    def close(self) -> None:
        """Kill all that is left."""
        self._closed.set()
        self._thread.join()
        for member in self._members.values():
            member.process.kill()
            member.process.wait()

    def _dismissed(self, name: str, number: signal.Signals) -> subprocess.Popen:
        with self._lock:
            member = self._members.pop(name)
            self._gone += member.codes
        if member.process.poll() is None:
            member.process.send_signal(signal.SIGCONT)
            member.process.send_signal(number)
        return member.process

    def _ended(self, process: subprocess.Popen) -> int:
        try:
            return process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def _look(self) -> None:
        ended_s: dict[str, float] = {}
        while not self._closed.wait(LOOK_S):
            with self._lock:
                for name, member in self._members.items():
                    code = member.process.poll()
                    if code is None:
                        continue
                    ended_s[name] = ended_s.get(name, 0.0) + LOOK_S
                    if ended_s[name] > self._restart_s:
                        del ended_s[name]
                        member.codes.append(code)
                        member.process = member.spawn()
