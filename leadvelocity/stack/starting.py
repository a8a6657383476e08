"""Bringing all parts up: in parallel, with the record kept right, and undone on failure."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event, Lock

from leadvelocity.stack.errors import GivenUp
from leadvelocity.stack.part import Part, Progress
from leadvelocity.stack.parts import Parts
from leadvelocity.stack.process import ProcessId
from leadvelocity.stack.record import StackRecord
from leadvelocity.stack.runner import Runner, last_lines
from leadvelocity.stack.status import running
from leadvelocity.stack.stopping import stop


class Starting:
    """One call of `up`.

    Parameters
    ----------
    directory : Path
        Where the record is saved, as soon as a process is started.
    answer_within_s : float
        How long each part may take to answer.
    started : callable
        Takes the name of each part that is started.
    """

    def __init__(
        self,
        parts: Parts,
        record: StackRecord,
        *,
        directory: Path,
        answer_within_s: float,
        progress: Progress,
        started: Callable[[str], None],
    ) -> None:
        self._parts = parts
        self._record = record
        self._directory = directory
        self._progress = progress
        self._tell_started = started
        self._given_up = Event()
        self._runner = Runner(
            answer_within_s=answer_within_s, given_up=self._given_up, progress=progress
        )
        self._saving = Lock()
        self._started: list[Part] = []

    def run(self) -> None:
        """Start what does not run, and return when all parts answer.

        Raises
        ------
        StackError
            A part cannot be started; those that this call started are stopped again.
        """
        try:
            with ThreadPoolExecutor() as pool:
                self._await([pool.submit(self._ensure, part) for part in self._parts])
        except BaseException:
            self._undo()
            raise

    def _await(self, starts: list[Future[None]]) -> None:
        try:
            wait(starts)
        except BaseException:  # Ctrl-C
            self._given_up.set()
            raise
        failures = [failure for start in starts if (failure := start.exception())]
        if failures:  # one is the cause, and the others gave up for it
            raise min(failures, key=lambda failure: isinstance(failure, GivenUp))

    def _ensure(self, part: Part) -> None:
        try:
            found = running(part, self._record)
            if found is not None:
                self._runner.wait(part, found)
                return
            if former := self._record.processes.get(part.name):
                self._progress(
                    f"{part.name}: died (process {former.pid}); starting it again with its data."
                    f" Its log ended with:\n{last_lines(part)}"
                )
            else:
                self._progress(f"{part.name}: starting")
            self._runner.start(part, started=lambda identity: self._remember(part, identity))
        except BaseException:
            self._given_up.set()
            raise

    def _remember(self, part: Part, identity: ProcessId) -> None:
        with self._saving:
            self._started.append(part)
            self._record = self._record.with_process(part.name, identity)
            self._record.save(self._directory)
        self._tell_started(part.name)

    def _undo(self) -> None:
        for part in self._started:
            stop(part, self._record, self._progress)
            self._record = self._record.with_process(part.name, None)
        self._record.save(self._directory)
