"""The real `leadvelocity sink` with a wire to ClickHouse, and records for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from uuid import uuid4

import psutil
from confluent_kafka import Producer

from leadvelocity.kafka import read_to_end
from leadvelocity.stack.endpoints import Endpoints
from schemas.contracts import contract
from schemas.encoding import Encoder
from schemas.registry import Registry
from schemas.topics import DEAD_LETTERS, TIER_CHANGES
from sinks.client import ClickHouse, query
from sinks.rows import table_of
from streams.settings import KafkaConnection
from tests.faults.rows_of_changes import NOW_MS, change
from tests.faults.table import FaultRow

COMMAND = (sys.executable, "-m", "leadvelocity")
COMMAND_S_MAX = 120
STOP_S_MAX = 40
POLL_S = 0.2
IN_TRANSACTION_MAX = 2_000
TOPICS = (TIER_CHANGES, DEAD_LETTERS)

Place = tuple[int, int]


@dataclass
class Sinks:
    """Sinks of one group that write into one database.

    Parameters
    ----------
    clickhouse : ClickHouse
        Past any wire.
    port : int
        Where the sinks look for ClickHouse.
    table : list of FaultRow
        Gets a line after each fault.
    """

    endpoints: Endpoints
    clickhouse: ClickHouse
    port: int
    folder: Path
    app_id: str
    table: list[FaultRow]
    started: int = 0
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def kafka(self) -> KafkaConnection:
        return KafkaConnection(bootstrap_servers=self.endpoints.kafka)

    def environment(self, *, port: int | None = None) -> dict[str, str]:
        prefix = "LEADVELOCITY_"
        mine = {
            "DIRECTORY": str(self.folder / "no-stack"),
            "KAFKA__BOOTSTRAP_SERVERS": self.endpoints.kafka,
            "REGISTRY__URL": self.endpoints.registry,
            "CLICKHOUSE__HOST": self.clickhouse.host,
            "CLICKHOUSE__PORT": str(port or self.port),
            "CLICKHOUSE__USER": self.clickhouse.user,
            "CLICKHOUSE__PASSWORD": self.clickhouse.password,
            "CLICKHOUSE__DATABASE": self.clickhouse.database,
            "ENGINE__APP_ID": self.app_id,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith(prefix)}
        return clean | {prefix + name: value for name, value in mine.items()}

    def setup(self) -> None:
        """Run `leadvelocity setup`, past any wire."""
        subprocess.run(
            [*COMMAND, "setup"],
            env=self.environment(port=self.clickhouse.port),
            check=True,
            timeout=COMMAND_S_MAX,
            capture_output=True,
        )

    def start(self, **variables: str) -> "subprocess.Popen[bytes]":
        self.started += 1
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*COMMAND, "sink"], env=self.environment() | variables, stdout=log, stderr=log
            )
        self.running.append(process)
        return process

    def stop(self, process: "subprocess.Popen[bytes]") -> int:
        """Tell it to stop; return its exit code."""
        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_S_MAX)
        self.running.remove(process)
        return code

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.wait()
        self.running.remove(process)

    @property
    def log(self) -> Path:
        """Of the sink that was started last."""
        return self.folder / f"sink-{self.started}.log"

    def said(self, text: str) -> bool:
        """Whether the sink that was started last said so."""
        return text in self.log.read_text(errors="replace")

    def wait(self, done: Callable[[], bool], *, seconds: float, what: str) -> None:
        for _ in range(round(seconds / POLL_S)):
            for process in self.running:
                assert process.poll() is None, self.log.read_text(errors="replace")[-4000:]
            if done():
                return
            Event().wait(POLL_S)
        raise AssertionError(f"{what}: {self.log.read_text(errors='replace')[-4000:]}")

    def wait_running(self) -> None:
        """Wait until the sink that was started last has a part of the work."""
        self.wait(lambda: self.said(" runs from "), seconds=90, what="start")

    def in_kafka(self, topic: str) -> list[Place]:
        """Places of the committed records of a topic."""
        return sorted(
            (each.partition() or 0, each.offset() or 0) for each in read_to_end(self.kafka, [topic])
        )

    def in_clickhouse(self, topic: str) -> list[Place]:
        """Places of the rows of a topic, as readers see them."""
        sql = f"SELECT source_partition, source_offset FROM {table_of(topic)} FINAL"
        return sorted((row[0], row[1]) for row in query(self.clickhouse, sql).rows)

    def wait_stored(
        self, fault: str | None = None, *, times: int = 0, seconds: float = 120
    ) -> None:
        """Wait until rows are records, each once; after a fault, write the line of the table."""
        began_s = time.monotonic()
        wanted = self._places(self.in_kafka)
        self.wait(
            lambda: len(self._places(self.in_clickhouse)) >= len(wanted),
            seconds=seconds,
            what="rows",
        )
        recovery_s = time.monotonic() - began_s
        held = self._places(self.in_clickhouse)
        if fault is not None:
            row = FaultRow(
                fault=fault,
                times=times,
                events=len(wanted),
                lost=len(set(wanted) - set(held)),
                doubled=len(held) - len(set(held)),
                recovery_s=recovery_s,
            )
            self.table.append(row)
        assert held == wanted

    def _places(self, of: Callable[[str], list[Place]]) -> list[tuple[str, Place]]:
        return [(topic, place) for topic in TOPICS for place in of(topic)]

    def send(self, topic: str, values: Iterator[bytes], *, partitions: int = 4) -> None:
        """Write records in transactions, as workers do."""
        producer = Producer(
            {
                "bootstrap.servers": self.endpoints.kafka,
                "transactional.id": uuid4().hex,
                "message.max.bytes": 1_200_000,
                "linger.ms": 5,
            }
        )
        producer.init_transactions()
        producer.begin_transaction()
        for n, value in enumerate(values):
            producer.produce(topic, value=value, key=b"k", partition=n % partitions)
            producer.poll(0)
            if n % IN_TRANSACTION_MAX == IN_TRANSACTION_MAX - 1:
                producer.commit_transaction()
                producer.begin_transaction()
        producer.commit_transaction()

    def send_changes(self, count: int) -> None:
        encoder = self._encoder(TIER_CHANGES)
        self.send(TIER_CHANGES, (encoder.encode(change(n)) for n in range(count)))

    def send_letters(self, count: int, *, size_bytes: int) -> None:
        encoder = self._encoder(DEAD_LETTERS)
        letter = {
            "topic": "form-fills",
            "partition": 0,
            "offset": 1,
            "timestamp": NOW_MS,
            "key": None,
            "value": os.urandom(size_bytes),
            "headers": [],
            "reason": "bad_framing: no",
            "lead_id": None,
            "failed_at": NOW_MS,
        }
        self.send(DEAD_LETTERS, (encoder.encode(letter | {"offset": n}) for n in range(count)))

    def _encoder(self, topic: str) -> Encoder:
        held = contract(topic)
        return Encoder(held, Registry(self.endpoints.registry).id_of(held))


def memory_bytes(process: "subprocess.Popen[bytes]") -> int:
    """Return what a process holds in memory."""
    held: int = psutil.Process(process.pid).memory_info().rss
    return held


@contextmanager
def sinks_in(
    folder: Path,
    endpoints: Endpoints,
    clickhouse: ClickHouse,
    *,
    port: int,
    name: str,
    table: list[FaultRow],
) -> Iterator[Sinks]:
    """Give sinks with a database of their own, and end what runs of them afterwards."""
    sinks = Sinks(
        endpoints=endpoints,
        clickhouse=replace(clickhouse, database=name),
        port=port,
        folder=folder,
        app_id="faults",
        table=table,
    )
    sinks.setup()
    try:
        yield sinks
    finally:
        for process in list(sinks.running):
            sinks.kill(process)
        query(replace(clickhouse, database=""), f"DROP DATABASE IF EXISTS {name}")
