"""A pipeline that can be hurt: roles under a supervisor, a stack whose parts can be killed."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
from clickhouse_driver import Client
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from leadvelocity.stack.process import ProcessId, find
from schemas.topics import INPUT_TOPICS, REROUTED_EVENTS
from tests.e2e.pipeline import COMMAND, Pipeline
from tests.faults.reading import Reader
from tests.faults.supervisor import Supervisor
from tests.faults.traffic import Line

PARTITIONS = 4
SESSION_TIMEOUT_MS = 6_000
POLL_S = 0.3
BEGINS, TOOK_OVER = "--- a process begins", " runs from "
"""In a worker's log."""

ANSWER_S_MAX = 30.0
CAUGHT_UP_S_MAX = 120.0


@dataclass
class Cluster:
    """One pipeline under one app id on a running stack.

    Parameters
    ----------
    endpoints : dict
        As `stack up` prints them.
    app_id : str
    worker_variables : dict of str to str
        Settings of all workers.
    """

    pipeline: Pipeline
    endpoints: dict[str, Any]
    app_id: str
    worker_variables: dict[str, str] = field(default_factory=dict)
    supervisor: Supervisor = field(default_factory=Supervisor)
    senders: list[Thread] = field(default_factory=list)
    started: int = 0

    @property
    def reader(self) -> Reader:
        """Return a reader of the topics."""
        return Reader(self.endpoints, app_id=self.app_id)

    def log(self, name: str) -> Path:
        return self.pipeline.folder / f"{self.app_id}-{name}.log"

    def start_worker(
        self,
        name: str = "",
        *,
        model: Path | None = None,
        program: Sequence[str] = COMMAND,
        **variables: str,
    ) -> str:
        """Start a worker that is kept running; return its name."""
        self.started += 1
        name = name or f"worker-{self.started}"
        role = ("worker", "--model", str(model or self.pipeline.model))
        wanted = self.worker_variables | variables

        def spawn() -> subprocess.Popen:
            log = self.log(name)
            with log.open("a") as stream:
                stream.write(f"{BEGINS}\n")
            return self.pipeline.spawn(*role, log=log, program=program, variables=wanted)

        self.supervisor.start(name, spawn)
        return name

    def start_workers(self, count: int) -> list[str]:
        return [self.start_worker() for _ in range(count)]

    def wait_until_owner(self, name: str, *, seconds: float = 60.0) -> None:
        """Wait until a worker has taken over a task."""
        self.wait(lambda: name in self.owners(), seconds=seconds, what=f"{name} taking over")

    def owners(self) -> list[str]:
        """Return the workers whose process of now has taken over a task."""
        return [
            name
            for name in self.supervisor.names("worker")
            if TOOK_OVER in self.log(name).read_text(errors="replace").rpartition(BEGINS)[2]
        ]

    def start_sink(self, name: str = "sink") -> None:
        """Start a sink that is kept running."""
        self.supervisor.start(name, lambda: self.pipeline.spawn("sink", log=self.log(name)))

    def run_worker(self, *, seconds: float = 60.0, **variables: str) -> tuple[int, str]:
        """Run a worker that should end by itself; return its exit code and what it said."""
        name = f"alone-{self.started}"
        self.started += 1
        process = self.pipeline.spawn(
            "worker",
            *("--model", str(self.pipeline.model)),
            log=self.log(name),
            variables=self.worker_variables | variables,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = 0  # it runs: nothing refused it
        finally:
            process.kill()
            process.wait()
        return code, self.log(name).read_text(errors="replace")

    def send(self, lines: Iterable[Line]) -> None:
        """Send events and wait until Kafka holds them."""
        self.pipeline.send(lines)

    def send_live(self, lines: Iterable[Line], *, rate_per_s: float) -> None:
        """Send events one after the other in the background."""
        process = self.pipeline.spawn("send", "-", log=self.log("send"))
        thread = Thread(target=_feed, args=(process, lines, rate_per_s), daemon=True)
        thread.start()
        self.senders.append(thread)

    def sent(self) -> None:
        """Wait until all that was to be sent in the background is there."""
        while self.senders:
            sender = self.senders.pop()
            sender.join(CAUGHT_UP_S_MAX)
            assert not sender.is_alive(), f"sending hangs:\n{self.logs()}"
        log = self.log("send")
        assert not log.exists() or '"refusals": 0' in log.read_text(), log.read_text()

    def folded(self) -> int:
        """Return how many input records the group has committed."""
        return sum(self.reader.committed().values())

    def wait(self, done: Callable[[], bool], *, seconds: float, what: str) -> float:
        """Wait until `done`; return how long that took, in seconds."""
        began = time.monotonic()
        while not done():
            took = time.monotonic() - began
            assert took < seconds, f"{what} took longer than {seconds} s:\n{self.logs()}"
            Event().wait(POLL_S)
        return time.monotonic() - began

    def caught_up(self) -> bool:
        """Whether the group has folded every input there is, and told every score."""
        reader = self.reader
        committed, ends = reader.committed(), reader.ends(INPUT_TOPICS)
        if any(committed.get(place, 0) < end for place, end in ends.items()):
            return False
        if sum(reader.ends([REROUTED_EVENTS]).values()) and not self._strays_home():
            return False
        return not reader.owes_scores()

    def lag(self) -> str:
        """Say what is left to do."""
        committed, ends = self.reader.committed(), self.reader.ends(INPUT_TOPICS)
        left = {place: end - committed.get(place, 0) for place, end in ends.items()}
        behind = {place: count for place, count in left.items() if count > 0}
        return f"left to fold: {behind}, scores are owed: {self.reader.owes_scores()}"

    def settle(self, *, seconds: float = CAUGHT_UP_S_MAX) -> float:
        """Wait until nothing is left to fold, then stop the workers; return the seconds it took.

        Faults must have ended: this is the liveness phase.
        """
        self.sent()
        try:
            took = self.wait(self.caught_up, seconds=seconds, what="catching up")
        except AssertionError as error:
            raise AssertionError(f"{self.lag()}; {error}") from None
        self.supervisor.leave_all("worker")
        return took

    def signal_part(self, part: str, number: signal.Signals) -> None:
        """Send a part of the stack a signal, by its recorded process."""
        record = json.loads((self.pipeline.folder / "stack.json").read_text())
        each = record["processes"][part]
        process = find(ProcessId(pid=each["pid"], started_at_s=each["started_at_s"]))
        assert process is not None, f"{part} does not run"
        process.send_signal(number)
        if number is signal.SIGKILL:
            process.wait(ANSWER_S_MAX)

    def resident_bytes(self, name: str) -> int:
        """Return the resident memory of a member."""
        return int(psutil.Process(self.supervisor.pid(name)).memory_info().rss)

    @cached_property
    def admin(self) -> AdminClient:
        """Return a client that outlives its futures: they fail when it is gone."""
        return AdminClient({"bootstrap.servers": self.endpoints["kafka"], "log_level": 0})

    def configure(self, topic: str, name: str, value: str) -> None:
        """Set a property of a topic, as somebody with rights to it could."""
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        for future in self.admin.incremental_alter_configs([resource]).values():
            future.result(ANSWER_S_MAX)

    def logs(self) -> str:
        """Return the ends of all logs."""
        found = sorted(self.pipeline.folder.glob(f"{self.app_id}-*.log"))
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1200:]}" for log in found)

    def close(self) -> None:
        """Kill the roles; the stack stays."""
        self.supervisor.close()

    def _strays_home(self) -> bool:
        rerouted = len(self.reader.read([REROUTED_EVENTS]))
        snapshot = self.reader.snapshot()
        homes = sum(
            each.record["input_partition"] not in (None, each.partition)
            for each in snapshot.scored
            if each.record["outcome"] != "forwarded"
        )
        return homes >= rerouted


def emptied(endpoints: dict[str, Any]) -> None:
    """Remove all topics and tables of a stack, so that a pipeline begins from nothing."""
    admin = AdminClient({"bootstrap.servers": endpoints["kafka"], "log_level": 0})
    names = [each for each in admin.list_topics(timeout=ANSWER_S_MAX).topics if each[0] != "_"]
    if names:
        for future in admin.delete_topics(names, operation_timeout=ANSWER_S_MAX).values():
            future.result(ANSWER_S_MAX)
    server = endpoints["clickhouse"]
    client = Client(
        server["host"],
        port=server["port"],
        user=server["user"],
        password=server["password"],
        database=server["database"],
    )
    tables = client.execute(
        "SELECT name, engine FROM system.tables WHERE database = currentDatabase()"
    )
    for name, engine in sorted(tables, key=lambda each: "View" not in each[1]):
        client.execute(f"DROP {'VIEW' if engine == 'View' else 'TABLE'} IF EXISTS `{name}` SYNC")
    client.disconnect()


def _feed(process: subprocess.Popen, lines: Iterable[Line], rate_per_s: float) -> None:
    stream = process.stdin
    assert stream is not None
    begin_s = time.monotonic()
    for number, line in enumerate(lines):
        ahead_s = begin_s + number / rate_per_s - time.monotonic()
        if ahead_s > 0:
            Event().wait(ahead_s)
        stream.write(json.dumps(line).encode() + b"\n")
        stream.flush()
    stream.close()
    process.wait(CAUGHT_UP_S_MAX)
