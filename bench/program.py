"""An engine as processes of their own, pinned, logged and ended in the end."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from bench import cores
from bench.errors import BenchFailed

STOP_S_MAX = 30.0
LINES_SHOWN = 25
_GROUP_GONE = (ProcessLookupError, PermissionError)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program has used.

    Parameters
    ----------
    cpu_s : float
        Of all its processes since they began.
    rss_bytes : int
        Resident now.
    """

    cpu_s: float
    rss_bytes: int


class Program:
    """A running command; use it as a context, and it is gone afterwards.

    It has a session of its own and, as its standard input, a pipe from here: engines end with their
    input, and so with this program.

    Parameters
    ----------
    command : sequence of str
    log : Path
        Takes what it prints.
    on : frozenset of int
        Cores.
    folder : Path or None
        Where it runs; None: here.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        on: frozenset[int],
        folder: Path | None = None,
    ) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream, cores.on(on):
            self._process = subprocess.Popen(  # noqa: S603  # our own commands
                command,
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                cwd=folder,
                start_new_session=True,
            )
        self._tree = [psutil.Process(self._process.pid)]
        self._held: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Say so when it has ended by itself.

        Raises
        ------
        BenchFailed
            With the last lines of its log.
        """
        code = self._process.poll()
        if code is not None:
            raise BenchFailed(f"it ended with code {code}; {self._log} says:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """Return the end of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LINES_SHOWN:])

    def find_children(self) -> None:
        """Count from now on what the processes use that it has started."""
        root = psutil.Process(self._process.pid)
        self._tree = [root, *root.children(recursive=True)]

    def usage(self) -> Usage:
        """Return what its processes have used."""
        cpu_s, rss_bytes = 0.0, 0
        for process in self._tree:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu_s += times.user + times.system
                    rss_bytes += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return Usage(cpu_s=cpu_s, rss_bytes=rss_bytes)

    def hold(self) -> None:
        """Stop it where it is, until `go_on`, or until this program ends in whatever way."""
        self._signal(signal.SIGSTOP)
        release = f"read _; kill -CONT -{self._process.pid}"
        self._held = subprocess.Popen(  # noqa: S603  # it waits for the end of its input
            ["/bin/sh", "-c", release], stdin=subprocess.PIPE, start_new_session=True
        )

    def go_on(self) -> None:
        """Let it go on."""
        if self._held is not None:
            self._held.communicate()
            self._held = None

    def stop(self, *, politely: bool = True) -> None:
        """End it: by SIGTERM, after `STOP_S_MAX` or at once by SIGKILL."""
        self.go_on()
        if politely:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S_MAX)
        self._signal(signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except _GROUP_GONE:
            return
