"""A database with our tables, for the tests of this folder."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse
from sinks.migrate import migrate


@pytest.fixture(scope="session")
def database(clickhouse_server: ClickHouse) -> Iterator[ClickHouse]:
    """A database of our own, dropped at the end."""
    mine = replace(clickhouse_server, database=f"sinks_{uuid4().hex}")
    migrate(mine)
    yield mine
    mine.client().execute(f"DROP DATABASE {mine.database}")


@pytest.fixture
def fresh(clickhouse_server: ClickHouse) -> Iterator[ClickHouse]:
    """The name of a database that is not there yet, dropped at the end."""
    mine = replace(clickhouse_server, database=f"fresh_{uuid4().hex}")
    yield mine
    replace(mine, database="").client().execute(f"DROP DATABASE IF EXISTS {mine.database}")


@pytest.fixture
def sink(database: ClickHouse) -> Iterator[ClickHouseSink]:
    """A sink into it."""
    clickhouse = ClickHouseSink(database)
    yield clickhouse
    clickhouse.close()
