"""Reading just enough of a statement."""

import pytest

from leadvelocity.stack.clickhouse.statement import DataInsert, Statement, parse


@pytest.mark.parametrize(
    ("sql", "table", "columns"),
    [
        ("INSERT INTO t VALUES", "t", ""),
        ("insert into db.t (a, b) values ", "db.t", "a, b"),
        ("INSERT INTO TABLE `odd name`.t (`a(b`, c) VALUES;", "`odd name`.t", "`a(b`, c"),
        ("/* x */ INSERT -- y\n INTO t (a) VALUES -- now\n", "t", "a"),
        ("INSERT INTO t (* EXCEPT (b)) VALUES", "t", "* EXCEPT (b)"),
        ("INSERT INTO t (a) SETTINGS async_insert = 0 VALUES", "t", "a"),
        ("INSERT INTO t SETTINGS async_insert = 0 FORMAT Native", "t", ""),
        ("INSERT INTO t (a)", "t", "a"),
        ("INSERT INTO values_of (format, select) VALUES", "values_of", "format, select"),
    ],
)
def test_an_insert_that_waits_for_rows_is_seen(sql, table, columns):
    """A client that will send blocks is asked for them."""
    insert = parse(sql)

    assert isinstance(insert, DataInsert)
    assert (insert.table, insert.columns, insert.data) == (table, columns, "")
    assert insert.settings == ("SETTINGS async_insert = 0" if "SETTINGS" in sql else "")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1, 'a')",
        "INSERT INTO t (a) VALUES (';'), (2);",
        "INSERT INTO t SELECT * FROM u",
        "INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x",
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "INSERT INTO FUNCTION file('x.csv') VALUES",
        "SELECT 'INSERT INTO t VALUES'",
        "CREATE TABLE t (a String) ENGINE = Memory",
        "",
        "(((",
    ],
)
def test_other_statements_are_run_as_they_are(sql):
    """Nobody waits for blocks that never come."""
    assert isinstance(parse(sql), Statement)


@pytest.mark.parametrize(
    ("sql", "text", "name"),
    [
        ("SELECT 1 FORMAT CSV", "SELECT 1 ", "CSV"),
        ("SELECT 1 format JSON ;", "SELECT 1 ", "JSON"),
        (
            "SELECT 1 FORMAT CSV SETTINGS max_threads = 1",
            "SELECT 1  SETTINGS max_threads = 1",
            "CSV",
        ),
        (
            "SELECT 1 SETTINGS max_threads = 1 FORMAT CSV",
            "SELECT 1 SETTINGS max_threads = 1 ",
            "CSV",
        ),
        ("SELECT format FROM t", "SELECT format FROM t", None),
        ("SELECT ' FORMAT CSV'", "SELECT ' FORMAT CSV'", None),
        ("SELECT 1 -- FORMAT CSV", "SELECT 1", None),
        ("SELECT * FROM (SELECT 1 FORMAT CSV)", "SELECT * FROM (SELECT 1 FORMAT CSV)", None),
    ],
)
def test_the_format_clause_is_taken_out(sql, text, name):
    """Over the native protocol, a FORMAT clause cannot turn blocks into text."""
    statement = parse(sql)

    assert isinstance(statement, Statement)
    assert (statement.text, statement.format) == (text, name)


def test_rows_after_the_format_clause_are_kept_to_the_byte():
    """The body of an HTTP insert is one statement and its data, of any kind."""
    data = b"\x00\xff\n; INSERT \xc3\x28 \n\n"
    sql = (b"INSERT INTO t FORMAT Native\n" + data).decode("utf-8", "surrogateescape")

    insert = parse(sql)

    assert isinstance(insert, DataInsert)
    assert insert.format == "Native"
    assert insert.data.encode("utf-8", "surrogateescape") == data


def test_the_verb_is_the_first_word():
    """A SET is seen behind comments, so that the session remembers it."""
    statement = parse("-- mine\n set max_threads = 1")

    assert isinstance(statement, Statement)
    assert statement.verb == "SET"
