"""What fault tests share: a stack of their own, a pipeline from nothing, and the table."""

import json
import os
import random
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from leadvelocity.scoring_model import load_model
from scoring.model import Model
from tests.conftest import RUNNING_STACK
from tests.e2e.pipeline import Pipeline
from tests.e2e.swift_model import MODEL, MODEL_TEXT
from tests.faults.cluster import PARTITIONS, SESSION_TIMEOUT_MS, Cluster, emptied
from tests.faults.oracle import Expected, Verdict, judge, judge_rows
from tests.faults.rows_of_changes import Ask, balanced, books
from tests.faults.table import FaultRow, lines_of
from tests.faults.traffic import Traffic

ROWS_S_MAX = 60.0
ENGINE = "LEADVELOCITY_ENGINE__"


TABLE = pytest.StashKey[list[FaultRow]]()
REFUSALS = pytest.StashKey[list[str]]()
"""What was promised and kept where nothing is counted: a start that is refused, an end in time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults-json", help="Write the table of faults as JSON to this file.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Note what passed without a line in the table, by its promise."""
    stash = item.config.stash
    before = len(stash.setdefault(TABLE, []))
    yield
    if len(stash[TABLE]) == before and item.get_closest_marker("integration"):
        promise = " ".join((item.obj.__doc__ or item.name).split())  # type: ignore[attr-defined]
        stash.setdefault(REFUSALS, []).append(promise)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    rows = config.stash.get(TABLE, [])
    file = config.getoption("--faults-json", None)
    if file:
        Path(file).write_text(json.dumps([asdict(each) for each in rows], indent=2) + "\n")
    if not rows:
        return
    terminalreporter.section("faults")
    for line in lines_of(rows):
        terminalreporter.line(line)
    terminalreporter.section("kept, with nothing to count")
    refusals: list[str] = config.stash.setdefault(REFUSALS, [])
    for promise, times in Counter(refusals).items():
        terminalreporter.line(f"{times:>3} {promise}")


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Return a stack for faults: a new one, or the running one in LEADVELOCITY_TEST_STACK."""
    folder = Path(RUNNING_STACK) if RUNNING_STACK else tmp_path_factory.mktemp("faults")
    model = folder / "swift.yaml"
    pipeline = Pipeline(folder, model)
    pipeline.up()
    model.write_text(MODEL_TEXT)
    yield pipeline
    if not RUNNING_STACK:
        pipeline.close()


@pytest.fixture
def cluster(pipeline: Pipeline, tmp_path: Path) -> Iterator[Cluster]:
    """Return a pipeline that has seen nothing yet."""
    endpoints = pipeline.up()
    emptied(endpoints)
    shutil.rmtree(pipeline.folder / "state", ignore_errors=True)
    app_id = f"app-{uuid.uuid4().hex[:8]}"
    pipeline.variables = {
        f"{ENGINE}APP_ID": app_id,
        f"{ENGINE}SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS),
    }
    pipeline.command("setup")
    cluster = Cluster(pipeline, endpoints, app_id)
    yield cluster
    cluster.close()


@pytest.fixture
def seed() -> int:
    """Return the seed of the test: FAULTS_SEED, or a new one; the traffic prints it."""
    return int(os.environ.get("FAULTS_SEED", random.SystemRandom().randrange(1 << 30)))


@pytest.fixture(scope="session")
def model(pipeline: Pipeline) -> Model:
    return load_model(pipeline.model)


@dataclass
class Ending:
    """Ends a fault test: catches up, asks the oracle, and writes the line of the table."""

    cluster: Cluster
    model: Model
    table: list[FaultRow]

    def __call__(
        self,
        fault: str,
        *,
        times: int,
        traffic: Traffic,
        rows: bool = False,
        poison: frozenset = frozenset(),
        left_out: frozenset = frozenset(),
        seconds: float = 120.0,
    ) -> Verdict:
        recovery_s = self.cluster.settle(seconds=seconds)
        snapshot = self.cluster.reader.snapshot()
        expected = Expected(
            model=self.model,
            rules=MODEL,
            partitions=PARTITIONS,
            sent=traffic.made,
            left_out=left_out,
            poison=poison,
        )
        verdict = judge(snapshot, expected)
        if rows:
            self.cluster.wait(
                lambda: not judge_rows(snapshot, self.cluster.pipeline.sql),
                seconds=ROWS_S_MAX,
                what="rows to equal the topics",
            )
        self.table.append(
            FaultRow(
                fault=fault,
                times=times,
                events=verdict.events,
                lost=verdict.count("lost"),
                doubled=verdict.count("doubled"),
                recovery_s=recovery_s,
            )
        )
        assert not verdict.violations, f"{verdict}\n{self.cluster.logs()}"
        return verdict


@pytest.fixture
def table(pytestconfig: pytest.Config) -> list[FaultRow]:
    return pytestconfig.stash.setdefault(TABLE, [])


@pytest.fixture
def ending(cluster: Cluster, model: Model, table: list[FaultRow]) -> Callable[..., Verdict]:
    return Ending(cluster, model, table)


@pytest.fixture
def exact(table: list[FaultRow]) -> Callable[..., None]:
    """Return what ends a test of a sink alone: holds its rows against what was written."""

    def hold(fault: str, ask: Ask, rows: int, *, times: int, partitions: int = 1) -> None:
        held = [books(ask, partition=each) for each in range(partitions)]
        found = sum(each["distinct"] for each in held)
        table.append(
            FaultRow(
                fault=fault,
                times=times,
                events=rows * partitions,
                lost=rows * partitions - found,
                doubled=sum(each["rows"] for each in held) - found,
            )
        )
        assert held == [balanced(rows)] * partitions

    return hold
