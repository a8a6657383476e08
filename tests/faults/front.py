"""The ClickHouse engine as a process of a test's own, which may be killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

from leadvelocity.stack import ports, process
from leadvelocity.stack.clickhouse_front import DATABASE, USER, ClickHouseFront
from sinks.client import ClickHouse, query

START_S_MAX = 60.0
POLL_S = 0.1


class Front:
    """A front in a folder; it keeps port and data over its deaths."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = DATABASE
        chosen = ports.choose(("native", "http"))
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        self._front = ClickHouseFront(
            directory=folder,
            port=chosen["native"],
            http_port=chosen["http"],
            password="secret",  # of a test
        )
        self._identity: process.ProcessId | None = None

    @property
    def clickhouse(self) -> ClickHouse:
        """Where it is; `database` says which one of it."""
        return ClickHouse(
            host="127.0.0.1",
            port=self._front.port,
            user=USER,
            password=self._front.password,
            database=self.database,
        )

    def start(self, *, password: str = "secret") -> None:  # of a test
        """Start it and wait until it answers."""
        front = replace(self._front, password=password)
        command = front.prepare(lambda _: None)
        self._identity = process.start(
            command.arguments,
            log=self._front.directory / "logs" / "out",
            environment=command.environment,
        )
        for _ in range(round(START_S_MAX / POLL_S)):
            if front.answers():
                return
            Event().wait(POLL_S)
        raise AssertionError(f"no answer: {self._front.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it by SIGKILL; returns when it is gone."""
        assert self._identity is not None
        running = process.find(self._identity)
        if running is not None:
            running.kill()
            running.wait()
        self._identity = None

    def ask(self, sql: str) -> tuple[tuple[object, ...], ...]:
        """Ask it past any wire."""
        return query(self.clickhouse, sql).rows


@contextmanager
def front_in(folder: Path) -> Iterator[Front]:
    """Give a running front, and end it afterwards."""
    front = Front(folder)
    front.start()
    try:
        yield front
    finally:
        if front._identity is not None:
            front.kill()
