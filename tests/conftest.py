"""What all tests share: what runs, how laws are tried, and one local stack for who needs it."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from leadvelocity.compiled import StaleExtensions, compiled_modules, said_of
from leadvelocity.stack.endpoints import Endpoints
from leadvelocity.stack.stack import Stack
from sinks.client import ClickHouse

# New examples each time; in CI the same ones, so that a run can be repeated.
settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

SCHEDULES = 10_000
"""Simulated schedules of a run; CI takes the same each time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let simulations be made longer, and one of them be repeated."""
    group = parser.getgroup("simulation")
    group.addoption("--schedules", type=int, default=SCHEDULES, help="how many are simulated")
    group.addoption("--schedule-seed", type=int, help="repeat the one schedule of a seed")


def pytest_configure() -> None:
    """Stop where extensions of other sources would be tested."""
    try:
        compiled_modules()
    except StaleExtensions as stale:
        pytest.exit(str(stale), returncode=pytest.ExitCode.USAGE_ERROR)


def pytest_report_header() -> str:
    """Say whether the hot path runs compiled."""
    return f"hot path: {said_of(compiled_modules())}"


# Taken out of the environment: commands under test refuse settings that they do not know.
RUNNING_STACK = os.environ.pop("LEADVELOCITY_TEST_STACK", "")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Return where the stack is: a new one, or the running one in LEADVELOCITY_TEST_STACK."""
    if RUNNING_STACK:
        yield Stack(Path(RUNNING_STACK)).endpoints()
        return
    local = Stack(tmp_path_factory.mktemp("stack"))
    yield local.up()
    local.wipe()


@pytest.fixture(scope="session")
def clickhouse_server(stack: Endpoints) -> ClickHouse:
    """Return the stack's ClickHouse, as sinks take it."""
    server = stack.clickhouse
    return ClickHouse(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        database=server.database,
    )


@pytest.fixture
def run_name() -> str:
    """Return a name of its own for each test, for topics and databases."""
    return f"run_{uuid.uuid4().hex[:12]}"
