"""Worker and sink as processes of their own."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from leadvelocity.errors import CommandFailed

STOP_S_MAX = 45.0
"""After it a child that was told to stop is killed."""

LINES_SHOWN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A running role and where it writes its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path


class Children:
    """The processes that the demo started.

    Each has a session of its own, so Ctrl-C reaches only the demo, which stops them in order. Each
    has a pipe from the demo as its standard input, so it stops when the demo is killed.

    Parameters
    ----------
    logs : Path
        Folder for their logs.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._children: list[Child] = []

    def start(self, name: str, *arguments: str) -> None:
        """Start `leadvelocity` with arguments; the command must know `--end-with-stdin`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("ab") as stream:
            process = subprocess.Popen(  # noqa: S603  # our own command
                [sys.executable, "-m", "leadvelocity", *arguments, "--end-with-stdin"],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self._children.append(Child(name=name, process=process, log=log))

    def check(self) -> None:
        """Say so when one of them has ended.

        Raises
        ------
        CommandFailed
            With the last lines of its log.
        """
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                lines = child.log.read_text(encoding="utf-8", errors="replace").splitlines()
                raise CommandFailed(
                    f"{child.name} ended with code {code}; {child.log} says:\n"
                    + "\n".join(lines[-LINES_SHOWN:])
                )

    def stop(self, name: str | None = None) -> None:
        """Stop one of them, or all: politely, and for good after `STOP_S_MAX`."""
        stopping = [each for each in self._children if name in (None, each.name)]
        for child in stopping:
            if child.process.poll() is None:
                os.kill(child.process.pid, signal.SIGTERM)
        for child in stopping:
            try:
                child.process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            if child.process.stdin is not None:
                child.process.stdin.close()
            self._children.remove(child)
