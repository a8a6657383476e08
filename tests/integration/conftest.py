"""The local stack for the tests of this folder: one for all of them."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadvelocity.stack.endpoints import Endpoints
from leadvelocity.stack.stack import Stack
from sinks.client import ClickHouse

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
