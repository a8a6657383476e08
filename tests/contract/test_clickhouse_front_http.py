"""The ClickHouse front's HTTP interface: held by clickhouse-connect, which we did not write."""

import base64
import gzip
import http.client
import json
from collections.abc import Iterator
from datetime import datetime
from threading import Event
from typing import Any
from urllib.parse import urlencode

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from leadvelocity.stack import ports, process
from leadvelocity.stack.clickhouse_front import ClickHouseFront
from leadvelocity.stack.process import ProcessId
from leadvelocity.stack.runner import Runner


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


@pytest.fixture(params=[True, False, "gzip"])
def client(front, request):
    """clickhouse-connect, with its own choice of compression, none, and gzip."""
    connected = clickhouse_connect.get_client(
        host=front.endpoint.host,
        port=front.http_port,
        username=front.endpoint.user,
        password=front.password,
        database=front.endpoint.database,
        compress=request.param,
    )
    yield connected
    connected.close()


@pytest.fixture
def ask(front):
    """Sends one request by hand; gives status, headers and body."""

    def asked(method="POST", body=None, *, headers=None, account=True, path="/", **parameters):
        connection = http.client.HTTPConnection(front.endpoint.host, front.http_port, timeout=20)
        sent = dict(headers or {})
        if account:
            sent |= {"X-ClickHouse-User": front.endpoint.user, "X-ClickHouse-Key": front.password}
        url = f"{path}?{urlencode(parameters)}" if parameters else path
        connection.request(method, url, body=body, headers=sent)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, response.headers, content

    return asked


def test_clickhouse_connect_works(client):
    """Commands, inserts, parameters and queries of the official client do what they say."""
    rows: list[list[Any]] = [
        [
            f"lead-{n:04}",
            "hot",
            None if n % 2 else n,
            datetime(2026, 1, 1, 0, 0, n % 60),  # noqa: DTZ001  # it gives UTC without saying so
            {"a": "b"},
        ]
        for n in range(2_000)
    ]
    names = ["id", "tier", "n", "at", "fields"]
    client.command("DROP TABLE IF EXISTS leads")
    client.command(
        "CREATE TABLE leads (id String, tier LowCardinality(String), n Nullable(Int64),"
        " at DateTime64(3, 'UTC'), fields Map(String, String)) ENGINE = MergeTree ORDER BY id"
    )

    assert client.insert("leads", rows, column_names=names).written_rows == 2_000

    assert [
        list(row) for row in client.query("SELECT * FROM leads ORDER BY id").result_rows
    ] == rows
    assert client.command("SELECT count() FROM leads") == 2_000
    chosen = client.query(
        "SELECT id FROM leads WHERE id IN {ids:Array(String)} AND n >= {least:Int64}",
        parameters={"ids": ["lead-0004", "lead-0008", "it's"], "least": 5},
        settings={"max_threads": 1},
    )
    assert chosen.result_rows == [("lead-0008",)]


def test_clickhouse_connect_streams(client):
    """Large results are read block by block."""
    with client.query_row_block_stream("SELECT number FROM numbers(200000)") as blocks:
        assert sum(len(block) for block in blocks) == 200_000


def test_clickhouse_connect_sees_errors(client):
    """The official client knows an error by its code."""
    with pytest.raises(DatabaseError, match="code: 60"):
        client.query("SELECT * FROM absent")


@pytest.mark.parametrize(
    ("query", "default_format", "expected"),
    [
        ("SELECT 1 AS x, 'a'", None, b"1\ta\n"),
        ("SELECT 1 AS x", "JSONEachRow", b'{"x":1}\n'),
        ("SELECT 1 AS x FORMAT CSVWithNames", "JSON", b'"x"\n1\n'),
        ("SELECT 1 AS x FORMAT CSV SETTINGS max_threads = 1;", "JSON", b"1\n"),
    ],
)
def test_the_format_is_the_clause_or_the_default(ask, query, default_format, expected):
    """Grafana, curl and scripts get the format they name."""
    parameters = {"default_format": default_format} if default_format else {}

    posted = ask(body=query.encode(), **parameters)
    got = ask("GET", query=query, **parameters)

    assert posted[0] == got[0] == 200
    assert posted[2] == got[2] == expected
    assert posted[1]["X-ClickHouse-Format"] == got[1]["X-ClickHouse-Format"]


def test_parameters_are_no_sql(ask):
    """A parameter is a value, whatever is in it."""
    body = b"SELECT {word:String} AS word FORMAT JSONEachRow"

    assert json.loads(ask(body=body, param_word="'; DROP TABLE x")[2]) == {
        "word": "'; DROP TABLE x"
    }


def test_settings_come_as_parameters(ask):
    """What is no parameter of the interface is a setting; an unknown one is named."""
    assert ask(body=b"SELECT getSetting('max_block_size')", max_block_size=77)[2] == b"77\n"

    status, headers, body = ask(body=b"SELECT 1", of_the_future=1)
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "115")
    assert b"of_the_future" in body


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO bodies FORMAT CSV", b'1,"a"\n2,"b"\n'),
        ("INSERT INTO bodies (n, s) FORMAT JSONEachRow", b'{"n":1,"s":"a"}{"n":2,"s":"b"}'),
        ("INSERT INTO bodies VALUES", b"(1,'a'),(2,'b')"),
        ("", b"INSERT INTO bodies FORMAT TSV\n1\ta\n2\tb\n"),
        ("", b"INSERT INTO bodies VALUES (1,'a'),(2,'b')"),
    ],
)
def test_rows_come_in_the_body(ask, query, body):
    """Inserts work with the statement in the address or before the rows."""
    ask(body=b"CREATE OR REPLACE TABLE bodies (n UInt8, s String) ENGINE = MergeTree ORDER BY n")

    status, headers, answer = ask(body=body, **({"query": query} if query else {}))

    assert (status, answer) == (200, b"")
    assert ask(body=b"SELECT * FROM bodies ORDER BY n")[2] == b"1\ta\n2\tb\n"
    if query:
        assert json.loads(headers["X-ClickHouse-Summary"])["written_rows"] == "2"


def test_a_bad_row_inserts_none(ask):
    """Rows before a bad one are not left behind."""
    ask(body=b"CREATE OR REPLACE TABLE bodies (n UInt8, s String) ENGINE = MergeTree ORDER BY n")

    status, headers, _ = ask(body=b"1,a\nx,b\n", query="INSERT INTO bodies FORMAT CSV")

    assert status == 500
    assert headers["X-ClickHouse-Exception-Code"] == "27"
    assert ask(body=b"SELECT count() FROM bodies")[2] == b"0\n"


def test_bodies_may_be_zipped_and_in_chunks(ask):
    """Compressed and chunked requests and answers are understood."""
    query = b"SELECT repeat('x', 5000)"
    plain = b"x" * 5000 + b"\n"

    _, headers, body = ask(
        body=gzip.compress(query),
        headers={"Content-Encoding": "gzip", "Accept-Encoding": "deflate, gzip"},
    )
    chunked = ask(body=iter([query[:10], query[10:]]))

    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == plain
    assert chunked[2] == plain


@pytest.mark.parametrize("encoding", ["gzip", "rot13"])
def test_an_unreadable_body_is_a_bad_request(ask, encoding):
    """A wrong encoding is said, not guessed at."""
    assert ask(body=b"SELECT 1", headers={"Content-Encoding": encoding})[0] == 400


def test_reading_changes_nothing(ask):
    """A GET cannot write: a link in a page does no harm."""
    status, headers, _ = ask("GET", query="CREATE TABLE by_link (a UInt8) ENGINE = Memory")

    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "164")


def test_all_ways_to_say_who_one_is(front, ask):
    """Headers, basic authentication and parameters open; nothing else does."""
    user, password = front.endpoint.user, front.password
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    query = b"SELECT 1"

    assert ask(body=query)[0] == 200
    assert ask(body=query, account=False, user=user, password=password)[0] == 200
    assert ask(body=query, account=False, headers={"Authorization": f"Basic {basic}"})[0] == 200
    for wrong in ({}, {"user": user}, {"user": user, "password": "x"}, {"password": password}):
        assert ask(body=query, account=False, **wrong)[0] == 403
    assert ask(body=query, account=False, headers={"Authorization": "Basic ?"})[0] == 403


def test_a_ping_needs_no_password(ask):
    """Health checks ask without an account."""
    assert ask("GET", account=False, path="/ping")[::2] == (200, b"Ok.\n")
