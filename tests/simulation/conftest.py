"""Which schedules are simulated, and how their processes end."""

import logging
import os
import random
from collections.abc import Callable, Iterator

import pytest

from tests.simulation import exits
from tests.simulation.parts import Parts

BLOCK = 500
"""Schedules of one test."""

SHARES = {"traces": 0.93, "scores": 0.02, "deaths": 0.02, "rows": 0.03}
"""What part of the schedules each kind has."""

FIRST_SEED = 0 if os.environ.get("CI") else random.randrange(1 << 30)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which seeds are tried."""
    return f"schedules: {config.getoption('schedules')} from seed {FIRST_SEED}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Cut the schedules of a kind into blocks of seeds."""
    if "seeds" not in metafunc.fixturenames:
        return
    kind = metafunc.module.KIND
    seed = metafunc.config.getoption("schedule_seed")
    if seed is None:
        end = FIRST_SEED + max(1, int(metafunc.config.getoption("schedules") * SHARES[kind]))
        starts = range(FIRST_SEED, end, BLOCK)
        blocks = [range(each, min(each + BLOCK, end)) for each in starts]
    else:
        blocks = [range(seed, seed + 1)]
    metafunc.parametrize("seeds", blocks, ids=lambda each: f"{kind}-{each.start}-{each.stop - 1}")


@pytest.fixture(autouse=True)
def processes_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a worker that gives up end its simulated process, and say nothing on the way."""
    for module in ("task", "exits"):
        monkeypatch.setattr(f"streams.{module}.fail_stop", exits.fail_stop)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Parts], None]:
    """Put the parts of a mutant in the engine."""

    def plant(parts: Parts) -> None:
        monkeypatch.setattr("streams.task_set.Task", parts.task)
        monkeypatch.setattr("streams.task.Committer", parts.committer)
        monkeypatch.setattr("streams.task.Source", parts.source)

    return plant
