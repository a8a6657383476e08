"""The ClickHouse front's native protocol: held by clickhouse-driver, which we did not write."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Event
from uuid import UUID

import psutil
import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException
from clickhouse_migrations.clickhouse_cluster import ClickhouseCluster

from leadvelocity.stack import ports, process
from leadvelocity.stack.clickhouse_front import ClickHouseFront
from leadvelocity.stack.process import ProcessId
from leadvelocity.stack.runner import Runner

Connect = Callable[..., Client]

COLUMNS = {
    "text": "String",
    "tier": "LowCardinality(String)",
    "source": "LowCardinality(Nullable(String))",
    "maybe": "Nullable(Int64)",
    "small": "UInt8",
    "large": "UInt64",
    "score": "Float64",
    "machine": "Bool",
    "at": "DateTime64(3, 'UTC')",
    "names": "Array(LowCardinality(String))",
    "contributions": "Array(Tuple(signal String, points Float64))",
    "fields": "Map(String, String)",
    "kind": "Enum8('visit' = 1, 'open' = 2)",
    "id": "UUID",
    "total": "SimpleAggregateFunction(sum, Int64)",
}


class Staying(Client):  # type: ignore[misc]
    """The driver hangs up after each error; this one does not."""

    def disconnect(self) -> None:
        """Stay."""
        self.connection.is_query_executing = False


def row(number: int) -> tuple[object, ...]:
    odd = bool(number % 2)
    return (
        "é\x00\n" * (number % 70),
        f"tier-{number % 3}",
        None if odd else f"source-{number}",
        None if odd else -number,
        number % 256,
        number + 2**63,
        number / 7,
        odd,
        datetime(2026, 1, 2, 3, 4, 5, number % 1000 * 1000, tzinfo=UTC),
        ["a", "b"][: number % 3],
        [("page", 1.5), ("demo", float(number))][: number % 3],
        {"country": "DE", "number": str(number)} if odd else {},
        "visit" if odd else "open",
        UUID(int=number),
        number,
    )


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseFront]:
    """A front of this module's own."""
    chosen = ports.choose(("native", "http"))
    part = ClickHouseFront(
        directory=tmp_path_factory.mktemp("front"),
        port=chosen["native"],
        http_port=chosen["http"],
        password="secret",
    )
    started: list[ProcessId] = []
    runner = Runner(answer_within_s=60, given_up=Event(), progress=lambda _: None)
    runner.start(part, started=started.append)
    yield part
    running = process.find(started[0])
    assert running, "the server died"
    assert process.stop(running, within_s=20)
    assert "secret" not in part.log.read_text(encoding="utf-8")


@pytest.fixture
def connect(front: ClickHouseFront) -> Iterator[Connect]:
    """Gives clients, and closes them."""
    clients: list[Client] = []

    def connected(**options: object) -> Client:
        account = {
            "user": front.endpoint.user,
            "password": front.password,
            "database": front.endpoint.database,
        }
        client = Client(front.endpoint.host, port=front.port, **account | options)
        clients.append(client)
        return client

    yield connected
    for client in clients:
        client.disconnect()


@pytest.fixture
def table(connect: Connect) -> Iterator[str]:
    """A table with a column of each type."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    client = connect()
    client.execute("DROP TABLE IF EXISTS everything")
    client.execute(f"CREATE TABLE everything ({columns}) ENGINE = MergeTree ORDER BY large")
    yield "everything"
    client.execute("DROP TABLE everything")


@pytest.mark.parametrize("compression", [False, "lz4"])
def test_every_type_makes_the_round_trip(connect, table, compression):
    """What the sink writes is what a reader gets, compressed or not."""
    client = connect(compression=compression)
    rows = [row(number) for number in range(3_000)]

    assert client.execute(f"INSERT INTO {table} VALUES", rows) == len(rows)

    assert client.execute(f"SELECT * FROM {table} ORDER BY large") == rows


def test_a_result_names_its_columns_and_types(connect, table):
    """Column names and types come with rows and without any, as the table has them."""
    client = connect()
    expected = list(COLUMNS.items())

    _, without_rows = client.execute(f"SELECT * FROM {table}", with_column_types=True)
    client.execute(f"INSERT INTO {table} VALUES", [row(1)])
    rows, with_rows = client.execute(f"SELECT * FROM {table}", with_column_types=True)

    assert without_rows == with_rows == expected
    assert len(rows) == 1


def test_large_results_come_in_blocks(connect):
    """A long SELECT is streamed, and can be read row by row."""
    settings = {"max_block_size": 1_000}
    query = "SELECT number, toString(number) FROM numbers(200000)"

    numbers = [number for number, _ in connect().execute_iter(query, settings=settings)]

    assert numbers == list(range(200_000))


def test_long_answers_that_are_no_select_are_whole(connect):
    """An answer of several blocks that the engine gives at once is cut into them."""
    client = connect()
    for number in range(3):
        client.execute(f"CREATE TABLE IF NOT EXISTS part_{number} (a UInt8) ENGINE = Memory")

    assert [name for (name,) in client.execute("SHOW TABLES LIKE 'part_%'")] == [
        "part_0",
        "part_1",
        "part_2",
    ]
    assert client.execute("EXISTS TABLE part_0") == [(1,)]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM absent", 60),
        ("SELEC 1", 62),
        ("SELECT 1; SELECT 2", 62),
        (
            "CREATE TABLE a1 (a UInt8) ENGINE = Memory; CREATE TABLE a2 (a UInt8) ENGINE = Memory",
            62,
        ),
        ("INSERT INTO absent VALUES", 60),
        ("SELECT throwIf(number = 150000) FROM numbers(200000)", 395),
    ],
)
def test_errors_have_clickhouses_own_codes(connect, sql, code):
    """Who tells passing from lasting failures by code is told the truth."""
    with pytest.raises(ServerException) as failure:
        connect().execute(sql, [] if sql.endswith("VALUES") else None)

    assert failure.value.code == code
    assert "chdb" not in failure.value.message.lower()


def test_a_refused_insert_is_told_and_leaves_nothing(connect):
    """Rows that the table refuses are never acknowledged; chDB's own way to insert does so."""
    client = connect()
    client.execute("DROP TABLE IF EXISTS strict")
    client.execute(
        "CREATE TABLE strict (a UInt8, CONSTRAINT small CHECK a < 5) ENGINE = MergeTree ORDER BY a"
    )

    with pytest.raises(ServerException) as failure:
        client.execute("INSERT INTO strict VALUES", [(number,) for number in range(10)])

    assert failure.value.code == 469
    assert client.execute("SELECT count() FROM strict") == [(0,)]


def test_an_insert_that_a_view_cannot_follow_is_told(connect):
    """A failing materialised view is an error of the insert, as at a server."""
    client = connect()
    for sql in (
        "CREATE OR REPLACE TABLE watched (a UInt8) ENGINE = MergeTree ORDER BY a",
        "CREATE OR REPLACE TABLE seen (a UInt8) ENGINE = MergeTree ORDER BY a",
        "DROP VIEW IF EXISTS watching",
        "CREATE MATERIALIZED VIEW watching TO seen AS SELECT throwIf(a = 9) AS a FROM watched",
    ):
        client.execute(sql)

    with pytest.raises(ServerException) as failure:
        client.execute("INSERT INTO watched VALUES", [(9,)])

    assert failure.value.code == 395


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM absent",
        "INSERT INTO absent VALUES",
        "INSERT INTO strict VALUES",
        "SELECT throwIf(number = 150000) FROM numbers(200000)",
    ],
)
def test_a_connection_is_good_after_an_error(front, connect, sql):
    """An error is a packet: what was said before and after it on the connection is understood."""
    connect().execute(
        "CREATE TABLE IF NOT EXISTS strict (a UInt8, CONSTRAINT small CHECK a < 5)"
        " ENGINE = MergeTree ORDER BY a"
    )
    account = {"user": front.endpoint.user, "password": front.password}
    client = Staying(front.endpoint.host, port=front.port, database="leadvelocity", **account)
    client.execute("CREATE TEMPORARY TABLE of_this_session (a UInt8)")

    for _ in range(3):
        with pytest.raises(ServerException):
            client.execute(sql, [(9,), (1,)] if sql.endswith("VALUES") else None)
        assert client.execute("SELECT count() FROM of_this_session") == [(0,)]

    Client.disconnect(client)


def test_settings_hold_for_their_query_alone(connect):
    """A query's settings end with it, also read-only ones and after an error."""
    client = connect()
    current = "SELECT getSetting('max_block_size'), getSetting('readonly')"
    client.execute("SET max_block_size = 77")

    assert client.execute(current, settings={"max_block_size": 5}) == [(5, 0)]
    assert client.execute(current, settings={"readonly": 1}) == [(77, 1)]
    assert client.execute(current) == [(77, 0)]


def test_an_unknown_setting_is_passed_over_as_a_server_does(connect):
    """A newer client's settings do no harm."""
    assert connect().execute("SELECT 1", settings={"of_the_future": 1}) == [(1,)]


def test_sessions_are_apart(connect):
    """One client's USE, SET and temporary tables are not another's."""
    one, other = connect(), connect()
    one.execute("CREATE TEMPORARY TABLE mine (a UInt8)")
    one.execute("SET max_block_size = 77")
    one.execute("USE system")

    assert one.execute("SELECT currentDatabase(), count() FROM mine") == [("system", 0)]
    assert other.execute("SELECT currentDatabase()") == [("leadvelocity",)]
    assert other.execute("SELECT getSetting('max_block_size')") != [(77,)]
    with pytest.raises(ServerException):
        other.execute("SELECT * FROM mine")


def test_a_deduplication_token_holds_across_clients(connect):
    """A block written again with the same token is there once."""
    client = connect()
    client.execute("DROP TABLE IF EXISTS once")
    client.execute(
        "CREATE TABLE once (a UInt64) ENGINE = MergeTree ORDER BY a"
        " SETTINGS non_replicated_deduplication_window = 100"
    )

    for token in ("0-10", "0-10", "10-20"):
        connect().execute(
            "INSERT INTO once VALUES", [(1,)], settings={"insert_deduplication_token": token}
        )

    assert client.execute("SELECT count() FROM once") == [(2,)]


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"password": "wrong"}, 516), ({"user": "default"}, 516), ({"database": "absent"}, 81)],
)
def test_strangers_are_turned_away(connect, changed, code):
    """Nobody gets in without the password, and a wrong database is named."""
    with pytest.raises(ServerException) as failure:
        connect(**changed).execute("SELECT 1")

    assert failure.value.code == code


def test_external_tables_are_refused_and_the_connection_lives(connect):
    """What is not offered is said, with the code for it."""
    client = connect()
    external = [{"name": "x", "structure": [("a", "UInt8")], "data": [{"a": 1}]}]

    with pytest.raises(ServerException) as failure:
        client.execute("SELECT * FROM x", external_tables=external)

    assert failure.value.code == 48


def test_times_are_utc(connect):
    """The server has no time zone of the machine it runs on."""
    assert connect().execute("SELECT timezone(), toString(toDateTime(0))") == [
        ("UTC", "1970-01-01 00:00:00")
    ]


def test_many_clients_at_once(connect, table):
    """Threads that write at the same time lose and double nothing."""

    def write(part: int) -> None:
        client = connect(compression=part % 2 == 0)
        for start in range(0, 500, 100):
            numbers = range(part * 500 + start, part * 500 + start + 100)
            client.execute(f"INSERT INTO {table} VALUES", [row(number) for number in numbers])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))

    count = f"SELECT count(), uniqExact(large), sum(total) FROM {table}"
    assert connect().execute(count) == [(3_000, 3_000, sum(range(3_000)))]


def test_a_client_that_dies_while_it_inserts_leaves_nothing(connect, table, front):
    """Half an insert is none, and the server goes on."""
    client = connect(settings={"insert_block_size": 50})

    def rows() -> Iterator[tuple[object, ...]]:
        yield from (row(number) for number in range(120))
        client.connection.socket.shutdown(socket.SHUT_RDWR)
        yield from (row(number) for number in range(120, 200))

    with pytest.raises((EOFError, OSError)):
        client.execute(f"INSERT INTO {table} VALUES", rows())

    assert connect().execute(f"SELECT count() FROM {table}") == [(0,)]


def test_a_query_can_be_cancelled(connect):
    """An endless result ends when the client asks, and the connection is good for the next."""
    client = connect()
    endless = client.execute_iter(
        "SELECT number FROM system.numbers", settings={"max_block_size": 100}
    )
    next(endless)

    client.cancel()

    assert client.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00",
        b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x01" * 100,
        bytes(range(256)) * 10,
    ],
)
def test_nonsense_ends_its_connection_only(front, connect, nonsense):
    """Whatever is sent to the port, other clients notice nothing."""
    with closing(
        socket.create_connection((front.endpoint.host, front.port), timeout=20)
    ) as stranger:
        stranger.sendall(nonsense)
        stranger.shutdown(socket.SHUT_WR)
        while stranger.recv(1_000):
            pass

    assert connect().execute("SELECT 1") == [(1,)]


def test_connections_leave_nothing_behind(front, connect):
    """A thousand short visits cost neither threads, files nor memory."""
    server = next(
        psutil.Process(each.pid)
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr == (front.endpoint.host, front.port)
    )

    def visits(count: int) -> tuple[int, int, int]:
        for _ in range(count):
            client = connect()
            client.execute("SELECT 1")
            client.disconnect()
        return server.num_threads(), server.num_fds(), server.memory_info().rss

    before, after = visits(100), visits(300)

    assert after[0] <= before[0] + 10
    assert after[1] <= before[1] + 20
    assert after[2] <= before[2] + 30_000_000


def test_an_idle_client_keeps_its_connection(connect):
    """A pause is no reason to lose a session."""
    client = connect()
    client.execute("CREATE TEMPORARY TABLE mine (a UInt8)")
    connect().execute("SELECT sleep(1)")

    assert client.connection.ping()
    assert client.execute("SELECT count() FROM mine") == [(0,)]


def test_migrations_run_once(front, connect, tmp_path):
    """clickhouse-migrations applies files of several statements, and none twice."""
    (tmp_path / "001_tables.sql").write_text(
        "-- a comment; with a semicolon\n"
        "CREATE TABLE seeds (a String COMMENT 'x; y') ENGINE = MergeTree ORDER BY a;\n"
        "CREATE TABLE copies (a String) ENGINE = MergeTree ORDER BY a;\n"
        "CREATE MATERIALIZED VIEW copying TO copies AS SELECT a FROM seeds;\n",
        encoding="utf-8",
    )
    (tmp_path / "002_rows.sql").write_text("INSERT INTO seeds VALUES ('one');", encoding="utf-8")
    cluster = ClickhouseCluster(
        front.endpoint.host, front.endpoint.user, front.password, str(front.port)
    )

    applied = [
        len(cluster.migrate("migrated", str(tmp_path), multi_statement=True)) for _ in range(2)
    ]

    assert applied == [2, 0]
    assert connect(database="migrated").execute("SELECT * FROM copies") == [("one",)]
