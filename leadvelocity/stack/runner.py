"""Starts one part and waits until it answers; stops it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import psutil

from leadvelocity.stack import ports, process
from leadvelocity.stack.errors import GivenUp, PartFailed, PortTaken
from leadvelocity.stack.part import Part, Progress
from leadvelocity.stack.process import ProcessId

_ASK_AGAIN_S = 0.05
_LAST_LINES = 15
_LINE_CHARACTERS_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """How parts are started.

    Parameters
    ----------
    answer_within_s : float
        How long a part may take until it answers.
    given_up : Event
        Set from outside to end all waiting.
    """

    answer_within_s: float
    given_up: Event
    progress: Progress

    def start(self, part: Part, *, started: Callable[[ProcessId], None]) -> None:
        """Start `part` and return when it answers; `started` is told the process at once.

        Raises
        ------
        StackError
            It cannot start, ended, or did not answer in time (then it is stopped).
        """
        began_s = time.monotonic()
        command = part.prepare(self.progress)
        for port in part.ports:
            if not ports.is_free(port):
                raise PortTaken(part.name, port, ports.owner(port))
        part.log.parent.mkdir(parents=True, exist_ok=True)
        self._check()
        identity = process.start(
            command.arguments, log=_output(part), environment=command.environment
        )
        started(identity)
        running = process.find(identity)
        if running is None:
            raise self._failed(part, "ended at once")
        try:
            self.wait(part, running)
        except BaseException:
            process.stop(running, within_s=part.stop_within_s)
            raise
        self.progress(f"{part.name}: answers after {time.monotonic() - began_s:.1f} s")

    def wait(self, part: Part, running: psutil.Process) -> None:
        """Return when `part` answers; raises PartFailed if it ended or the time is up."""
        deadline_s = time.monotonic() + self.answer_within_s
        while ports.is_free(part.ports[0]) or not part.answers():
            self._check()
            if time.monotonic() > deadline_s:
                raise self._failed(
                    part, f"did not answer within {self.answer_within_s:g} s (`stack down` ends it)"
                )
            if process.ended(running, within_s=_ASK_AGAIN_S):
                raise self._failed(part, "ended while starting")

    def _check(self) -> None:
        if self.given_up.is_set():
            raise GivenUp

    def _failed(self, part: Part, reason: str) -> PartFailed:
        return PartFailed(part.name, reason, part.log, last_lines(part))


def last_lines(part: Part) -> str:
    """Return the last lines that `part` wrote, of its log and then of its plain output."""
    lines = []
    for file in (part.log, _output(part)):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
        lines += text.splitlines()[-_LAST_LINES:]
    return "\n".join(line[:_LINE_CHARACTERS_MAX] for line in lines)


def _output(part: Part) -> Path:
    return part.log.with_suffix(".out")
