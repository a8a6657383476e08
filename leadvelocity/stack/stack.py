"""The local stack in a folder: up, status, down, wipe."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from leadvelocity.stack import lock, record
from leadvelocity.stack.endpoints import Endpoints
from leadvelocity.stack.errors import StackRefused
from leadvelocity.stack.part import Progress
from leadvelocity.stack.parts import Parts
from leadvelocity.stack.record import StackRecord
from leadvelocity.stack.starting import Starting
from leadvelocity.stack.status import PartStatus, status_of
from leadvelocity.stack.stopping import stop_all

_OURS = ("kafka", "registry", "clickhouse", "logs", record.FILE_NAME, lock.FILE_NAME)
_UNFIT = frozenset(',;:"\n')  # Kafka and Java take these as ends of a path


def _silent(_: str) -> None:
    """Take a line of progress and drop it."""


class Stack:
    """Kafka, the schema registry and ClickHouse, on loopback, in the background.

    Parameters
    ----------
    directory : Path
        Holds the data, the logs and ``stack.json``.
    cache : Path or None
        Where fetched programs are kept; None: the user's cache folder.
    answer_within_s : float
        How long each part may take to answer.
    lock_within_s : float
        How long to wait for another command on the same folder.
    """

    def __init__(
        self,
        directory: Path,
        *,
        cache: Path | None = None,
        answer_within_s: float = 90.0,
        lock_within_s: float = 600.0,
    ) -> None:
        self.directory = directory.absolute()
        self._cache = cache
        self._answer_within_s = answer_within_s
        self._lock_within_s = lock_within_s

    def up(
        self,
        progress: Progress = _silent,
        *,
        new_ports: bool = False,
        started: Callable[[str], None] = _silent,
    ) -> Endpoints:
        """Start what does not run, and return when all three answer.

        Parameters
        ----------
        progress : callable
            Takes a line of text, from any thread.
        new_ports : bool
            Choose other ports; the parts are restarted.
        started : callable
            Takes the name of each part that this call starts, from any thread.

        Raises
        ------
        StackError
            A part cannot be started; those that this call started are stopped again.
        """
        if unfit := _UNFIT.intersection(str(self.directory)):
            raise StackRefused(
                f"{self.directory} cannot hold a stack: Java takes {unfit} as the end of a path;"
                " choose another folder"
            )
        with self._locked(progress):
            state = self._load_or_new()
            if new_ports:
                state = self._stop_all(state, progress).with_new_ports()
                state.save(self.directory)
            parts = self._parts(state)
            Starting(
                parts,
                state,
                directory=self.directory,
                answer_within_s=self._answer_within_s,
                progress=progress,
                started=started,
            ).run()
        return parts.endpoints

    def status(self) -> tuple[PartStatus, ...]:
        """Return how each part is.

        Raises
        ------
        NotAStack
            The folder holds no stack.
        """
        state = StackRecord.load(self.directory)
        return tuple(status_of(part, state) for part in self._parts(state))

    def endpoints(self) -> Endpoints:
        """Return where the parts are found, running or not; raises NotAStack."""
        return self._parts(StackRecord.load(self.directory)).endpoints

    def down(self, progress: Progress = _silent) -> None:
        """Stop all parts and keep their data; what is stopped already stays so.

        Raises
        ------
        NotAStack
            The folder holds no stack.
        """
        StackRecord.load(self.directory)
        with self._locked(progress):
            self._stop_all(StackRecord.load(self.directory), progress)

    def wipe(self, progress: Progress = _silent) -> None:
        """Stop all parts and delete what the stack has made; anything else in the folder stays.

        Raises
        ------
        NotAStack
            The folder holds no stack: nothing is touched.
        """
        StackRecord.load(self.directory)
        with self._locked(progress):
            self._stop_all(StackRecord.load(self.directory), progress)
            for name in _OURS:
                path = self.directory / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
            if not any(self.directory.iterdir()):
                self.directory.rmdir()
        progress(f"the stack in {self.directory} is gone")

    @contextmanager
    def _locked(self, progress: Progress) -> Iterator[None]:
        def waiting() -> None:
            progress("another command works on this stack: waiting for it")

        with lock.locked(self.directory, within_s=self._lock_within_s, waiting=waiting):
            yield

    def _load_or_new(self) -> StackRecord:
        if (self.directory / record.FILE_NAME).exists():
            return StackRecord.load(self.directory)
        state = StackRecord.new()
        state.save(self.directory)
        return state

    def _parts(self, state: StackRecord) -> Parts:
        return Parts.of(state, directory=self.directory, cache=self._cache)

    def _stop_all(self, state: StackRecord, progress: Progress) -> StackRecord:
        stopped = stop_all(self._parts(state), state, progress)
        stopped.save(self.directory)
        return stopped
