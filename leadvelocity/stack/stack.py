"""The local stack in a folder: up, status, down, wipe."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock

import psutil

from leadvelocity.stack import lock, process, record
from leadvelocity.stack.clickhouse_front import ClickHouseFront
from leadvelocity.stack.endpoints import Endpoints
from leadvelocity.stack.errors import StackRefused
from leadvelocity.stack.kafka import Kafka
from leadvelocity.stack.part import Part, Progress
from leadvelocity.stack.process import ProcessId
from leadvelocity.stack.record import StackRecord
from leadvelocity.stack.registry import Registry
from leadvelocity.stack.runner import Runner, last_lines

_OURS = ("kafka", "registry", "clickhouse", "logs", record.FILE_NAME, lock.FILE_NAME)
_UNFIT = frozenset(',;:"\n')  # Kafka and Java take these as ends of a path


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


@dataclass(frozen=True, slots=True)
class _Parts:
    kafka: Kafka
    registry: Registry
    clickhouse: ClickHouseFront

    def __iter__(self) -> Iterator[Part]:
        return iter((self.kafka, self.registry, self.clickhouse))

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(
            kafka=self.kafka.address,
            registry=self.registry.url,
            clickhouse=self.clickhouse.endpoint,
        )


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

    def up(self, progress: Progress = _silent, *, new_ports: bool = False) -> Endpoints:
        """Start what does not run, and return when all three answer.

        Parameters
        ----------
        progress : callable
            Takes a line of text, from any thread.
        new_ports : bool
            Choose other ports; the parts are restarted.

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
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._locked(progress):
            state = self._load_or_new()
            if new_ports:
                state = self._stop_all(state, progress).with_new_ports()
                state.save(self.directory)
            return _Start(self, state, progress).run()

    def status(self) -> tuple[PartStatus, ...]:
        """Return how each part is.

        Raises
        ------
        NotAStack
            The folder holds no stack.
        """
        state = StackRecord.load(self.directory)
        return tuple(_status(part, state) for part in self.parts(state))

    def endpoints(self) -> Endpoints:
        """Return where the parts are found, running or not; raises NotAStack."""
        return self.parts(StackRecord.load(self.directory)).endpoints

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

    def parts(self, state: StackRecord) -> _Parts:
        """Return the three parts with the ports and secrets of `state`."""
        return _Parts(
            Kafka(
                directory=self.directory,
                cache=self._cache,
                port=state.ports["kafka"],
                controller_port=state.ports["kafka_controller"],
                cluster_id=state.kafka_cluster_id,
            ),
            Registry(
                directory=self.directory,
                cache=self._cache,
                port=state.ports["registry"],
                management_port=state.ports["registry_management"],
            ),
            ClickHouseFront(
                directory=self.directory,
                port=state.ports["clickhouse"],
                http_port=state.ports["clickhouse_http"],
                password=state.clickhouse_password,
            ),
        )

    def runner(self, progress: Progress, given_up: Event) -> Runner:
        """Return what starts the parts of this stack."""
        return Runner(answer_within_s=self._answer_within_s, given_up=given_up, progress=progress)

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

    def _stop_all(self, state: StackRecord, progress: Progress) -> StackRecord:
        parts = tuple(self.parts(state))
        with ThreadPoolExecutor(len(parts)) as pool:
            stopping = [pool.submit(_stop, part, _running(part, state), progress) for part in parts]
            for future in stopping:
                future.result()
        for part in parts:
            state = state.with_process(part.name, None)
        state.save(self.directory)
        return state


class _Start:
    """One call of `up`: starts parts in parallel, keeps the record right, undoes on failure."""

    def __init__(self, stack: Stack, state: StackRecord, progress: Progress) -> None:
        self._stack = stack
        self._state = state
        self._progress = progress
        self._given_up = Event()
        self._saving = Lock()
        self._started: list[Part] = []

    def run(self) -> Endpoints:
        parts = self._stack.parts(self._state)
        try:
            with ThreadPoolExecutor(len(tuple(parts))) as pool:
                starting = [pool.submit(self._ensure, part) for part in parts]
                self._await(starting)
        except BaseException:
            self._undo()
            raise
        return parts.endpoints

    def _await(self, starting: list[Future[None]]) -> None:
        try:
            wait(starting)
        except BaseException:  # Ctrl-C
            self._given_up.set()
            raise
        failures = [failure for future in starting if (failure := future.exception())]
        if failures:  # one is the cause, and the others gave up for it
            raise min(failures, key=lambda failure: isinstance(failure, GivenUp))

    def _ensure(self, part: Part) -> None:
        runner = self._stack.runner(self._progress, self._given_up)
        running = _running(part, self._state)
        if running is not None:
            runner.wait(part, running)
            return
        try:
            if former := self._state.processes.get(part.name):
                self._progress(
                    f"{part.name}: died (process {former.pid}); starting it again with its data."
                    f" Its log ended with:\n{last_lines(part)}"
                )
            else:
                self._progress(f"{part.name}: starting")
            runner.start(part, started=lambda identity: self._remember(part, identity))
        except BaseException:
            self._given_up.set()
            raise

    def _remember(self, part: Part, identity: ProcessId) -> None:
        with self._saving:
            self._started.append(part)
            self._state = self._state.with_process(part.name, identity)
            self._state.save(self._stack.directory)

    def _undo(self) -> None:
        for part in self._started:
            _stop(part, _running(part, self._state), self._progress)
            self._state = self._state.with_process(part.name, None)
        self._state.save(self._stack.directory)


def _running(part: Part, state: StackRecord) -> psutil.Process | None:
    identity = state.processes.get(part.name)
    return process.find(identity) if identity else None


def _status(part: Part, state: StackRecord) -> PartStatus:
    running = _running(part, state)
    memory_bytes = None
    if running is not None:
        try:
            memory_bytes = running.memory_info().rss
        except psutil.NoSuchProcess:
            running = None
    if running is not None:
        how = PartState.RUNNING
    else:
        how = PartState.DIED if part.name in state.processes else PartState.STOPPED
    return PartStatus(
        name=part.name,
        state=how,
        pid=running.pid if running else None,
        port=part.ports[0],
        memory_bytes=memory_bytes,
    )


def _stop(part: Part, running: psutil.Process | None, progress: Progress) -> None:
    if running is None:
        return
    progress(f"{part.name}: stopping")
    if not process.stop(running, within_s=part.stop_within_s):
        progress(f"{part.name}: had to be killed after {part.stop_within_s:g} s")
