"""The engine in this process: sessions, statements, inserts; its blocks stay bytes."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import chdb

from leadvelocity.stack.clickhouse.block_walker import header, walk
from leadvelocity.stack.clickhouse.byte_source import ByteSource
from leadvelocity.stack.clickhouse.errors import EngineError, ProtocolError
from leadvelocity.stack.clickhouse.statement import DataInsert, Statement

_NOT_STREAMED = "Streaming query is not supported"
_UNKNOWN_SETTING = 115


class DataInUse(Exception):
    """Another process has the data folder."""


def quoted(name: str) -> str:
    """Return `name` as an identifier."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def literal(value: str) -> str:
    """Return `value` as a string of SQL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of one query; the engine passes over one it does not know unless it is vital."""

    value: str
    is_vital: bool = True


class Engine:
    """The engine over one data folder, which it locks.

    Parameters
    ----------
    data : Path
    threads_max : int
        Of one statement.

    Raises
    ------
    DataInUse
        Another process has the folder.
    """

    def __init__(self, data: Path, *, threads_max: int) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(data.parent / "lock")
        self.address = f"{data}?max_threads={threads_max}"
        self._incoming = data.parent / "incoming"
        shutil.rmtree(
            self._incoming, ignore_errors=True
        )  # left by a former process that was killed
        self._incoming.mkdir()
        # The engine shuts down with its last connection; this one keeps it up.
        self._keeper = _connect(self.address)

    def create_database(self, name: str) -> None:
        """Create the database unless it is there."""
        self._keeper.query(f"CREATE DATABASE IF NOT EXISTS {quoted(name)} ENGINE = Atomic")

    def session(self, database: str) -> "Session":
        """Return a new session; raises EngineError if there is no such database."""
        return Session(self.address, self._incoming, database)

    def close(self) -> None:
        """Shut the engine down."""
        self._keeper.close()
        os.close(self._lock)


class Session:
    """What one client has: a current database, settings, temporary tables. For one thread."""

    def __init__(self, address: str, incoming: Path, database: str) -> None:
        self._address = address
        self._incoming = incoming
        self._settings: list[str] = []
        self._connection = self._connected(database)

    def close(self) -> None:
        """End it."""
        self._connection.close()

    @contextmanager
    def with_settings(self, settings: Mapping[str, Setting]) -> Iterator[None]:
        """Apply `settings` to what is run inside."""
        try:
            for name, setting in settings.items():
                self._set(name, setting)
            yield
        finally:
            if settings:
                self._forget(settings)

    def blocks(self, statement: Statement) -> Generator[bytes, None, None]:
        """Run a statement and give its result as native blocks, one without rows before them.

        Raises
        ------
        EngineError
            The engine refuses it, at once or half-way.
        """
        blocks = self._pieces(statement)
        first = next(blocks, b"")
        columns = self._header(statement.text, first)
        if columns:
            yield columns
        if first:
            yield first
            yield from blocks

    def formatted(
        self, statement: Statement, format_name: str, parameters: Mapping[str, str]
    ) -> Any:
        """Run a statement; return the engine's result, whose bytes are in that format."""
        result = self._run(statement.text, format_name, parameters)
        self._remember(statement)
        return result

    def columns(self, insert: DataInsert) -> bytes:
        """Return a block without rows: the columns that `insert` takes."""
        columns = insert.columns.strip() or "*"
        return self._description(f"SELECT {columns} FROM {insert.table}")  # noqa: S608  # its own words

    @contextmanager
    def insertion(self, insert: DataInsert, format_name: str) -> Iterator["Insertion"]:
        """Give what takes the rows of an insert; nothing is in the table before its `finish`."""
        # chDB's own way to insert pieces says "done" even where the table has refused the rows
        # (a constraint, a failing view, too many partitions). Its INSERT from a file does not.
        with tempfile.NamedTemporaryFile(dir=self._incoming) as file:
            columns = f"({insert.columns})" if insert.columns else ""
            sql = (
                f"INSERT INTO {insert.table} {columns} FROM INFILE {literal(file.name)}"
                f" COMPRESSION 'none' {insert.settings} FORMAT {format_name}"
            )
            yield Insertion(file, lambda: self._run(sql, "Native").rows_read())

    def _pieces(self, statement: Statement) -> Iterator[bytes]:
        try:
            stream = self._connection.send_query(statement.text, "Native")
        except (chdb.ChdbError, RuntimeError) as error:
            if _NOT_STREAMED not in str(error):
                raise EngineError.of(error) from None
            # Said before anything is done: it is no SELECT.
            yield from _split(self._run(statement.text, "Native").bytes())
            self._remember(statement)
            return
        try:
            while (piece := _told(stream.fetch)) is not None:
                yield from _split(piece.bytes(), rows=piece.rows_read())
        finally:
            stream.close()

    def _header(self, sql: str, first: bytes) -> bytes:
        """Return the columns of a result: of its first block, or of the query if it has none."""
        if first:
            try:
                return header(walk(ByteSource.over(first)).columns)
            except ProtocolError:  # a type whose layout is not known here
                pass
        try:
            return self._description(sql)
        except EngineError:  # it is no SELECT
            return b""

    def _run(self, sql: str, format_name: str, parameters: Mapping[str, str] | None = None) -> Any:
        return _told(self._connection.query, sql, format_name, params=dict(parameters or {}))

    def _description(self, select: str) -> bytes:
        settings = "SETTINGS print_pretty_type_names = 0"  # else with line breaks in them
        described = self._run(f"DESCRIBE TABLE ({select}\n) {settings}", "JSONCompact")
        return header((each[0], each[1]) for each in json.loads(described.bytes())["data"])

    def _set(self, name: str, setting: Setting) -> None:
        try:
            self._run(f"SET {quoted(name)} = {literal(setting.value)}", "Native")
        except EngineError as error:
            if setting.is_vital or error.code != _UNKNOWN_SETTING:
                raise

    def _connected(self, database: str) -> Any:
        connection = _connect(self._address)
        try:
            for statement in (f"USE {quoted(database)}", *self._settings):
                _told(connection.query, statement, "Native")
        except EngineError:
            connection.close()
            raise
        return connection

    def _remember(self, statement: Statement) -> None:
        if statement.verb == "SET":
            self._settings.append(statement.text)

    def _forget(self, settings: Iterable[str]) -> None:
        """Put settings back to the session's own."""
        try:
            for name in settings:
                self._run(f"SET {quoted(name)} = DEFAULT", "Native")
            for statement in self._settings:
                self._run(statement, "Native")
        except EngineError:  # such as after readonly = 1
            result = self._run("SELECT currentDatabase()", "TSVRaw")
            database = result.bytes().decode().removesuffix("\n")
            self._connection.close()
            self._connection = self._connected(database)


class Insertion:
    """Rows on their way into a table."""

    def __init__(self, file: IO[bytes], run: Callable[[], int]) -> None:
        self._file = file
        self._run = run

    def append(self, piece: bytes) -> None:
        """Take the next rows."""
        self._file.write(piece)

    def finish(self) -> int:
        """Insert the rows and return how many they are; raises EngineError if they are refused."""
        self._file.flush()
        return self._run()


def _connect(address: str) -> Any:
    connect: Any = chdb.connect
    return connect(address)


def _told(call: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return call(*arguments, **named)
    except (chdb.ChdbError, RuntimeError) as error:
        raise EngineError.of(error) from None


def _split(data: bytes, *, rows: int | None = None) -> Iterator[bytes]:
    """Cut the engine's output into blocks; `rows`: what it has in all, if known."""
    if not data:
        return
    source = ByteSource.over(data)
    source.varint()
    if source.varint() == rows:
        yield data  # one block: no need to walk through it
        return
    source.at = 0
    while source.at < len(data):
        start = source.at
        walk(source)
        yield data[start : source.at]


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DataInUse(
            f"another process has the data in {path.parent}; stop it, or wait for its end"
        ) from None
    return descriptor
