"""ClickHouse's native protocol, as of revision 54440: one connection."""

import select
import socket
from contextlib import closing
from dataclasses import dataclass

from leadvelocity.stack.clickhouse.account import Account
from leadvelocity.stack.clickhouse.block_walker import walk
from leadvelocity.stack.clickhouse.byte_source import ByteSource
from leadvelocity.stack.clickhouse.compression import compressed, read_frame
from leadvelocity.stack.clickhouse.encoding import text, varint
from leadvelocity.stack.clickhouse.engine import Engine, Session, Setting
from leadvelocity.stack.clickhouse.errors import (
    NOT_IMPLEMENTED,
    EngineError,
    ProtocolError,
)
from leadvelocity.stack.clickhouse.statement import DataInsert, Statement, parse

REVISION = 54440
"""The newest one before blocks carry marks of custom serialisation."""

HANDSHAKE_S = 10.0
"""How long a client may take to say who it is."""

_VERSION = (26, 9, 2)  # as chDB's engine
_RECEIVE_BYTES = 1 << 18
_COUNTS_BYTES_MAX = 20  # of the two numbers that a block begins with

# What clients send.
_HELLO, _QUERY, _DATA, _CANCEL, _PING = range(5)
# What the server sends.
_BLOCK, _EXCEPTION, _PROGRESS, _PONG, _END = range(1, 6)
_BLOCK_HEADER = varint(_BLOCK) + text("")
# Field 1: no overflow row; field 2: no bucket; end.
_BLOCK_INFO = b"\x01\x00\x02" + (-1).to_bytes(4, "little", signed=True) + b"\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    sql: str
    settings: dict[str, Setting]
    compressed: bool


class NativeConnection:
    """Talks with one client until it leaves.

    Raises
    ------
    ProtocolError
        From `serve`, when the client's bytes make no sense, or it has gone.
    """

    def __init__(self, client: socket.socket, engine: Engine, account: Account) -> None:
        self._socket = client
        self._engine = engine
        self._account = account
        self._source = ByteSource(lambda: client.recv(_RECEIVE_BYTES))

    def serve(self) -> None:
        """Answer until the client leaves."""
        self._socket.settimeout(HANDSHAKE_S)
        session = self._hello()
        if session is None:
            return
        self._socket.settimeout(None)
        try:
            while True:
                self._source.let_go()
                packet = self._source.varint()
                if packet == _QUERY:
                    self._answer(session)
                elif packet == _PING:
                    self._send(varint(_PONG))
                elif packet != _CANCEL:  # one that came too late is no mistake
                    raise ProtocolError(f"a packet of type {packet} where a query was expected")
        finally:
            session.close()

    def _hello(self) -> Session | None:
        source = self._source
        if source.varint() != _HELLO:
            raise ProtocolError("no greeting")
        source.text()
        for _ in range(3):  # version and revision of the client
            source.varint()
        database, user, password = source.text(), source.text(), source.text()
        try:
            self._account.check(user, password)
            session = self._engine.session(database or self._account.database)
        except EngineError as error:
            self._send(_exception(error))
            return None
        major, minor, patch = _VERSION
        numbers = varint(major) + varint(minor) + varint(REVISION)
        self._send(
            varint(_HELLO), text("ClickHouse"), numbers, text("UTC"), text("chdb"), varint(patch)
        )
        return session

    def _answer(self, session: Session) -> None:
        query = self._read_query()
        blocks = _Blocks(self._source, compressed_blocks=query.compressed)
        try:
            blocks.no_external_tables()
            with session.with_settings(query.settings):
                match parse(query.sql):
                    case DataInsert() as insert:
                        rows = self._insert(session, insert, blocks)
                        progress = _progress(written=rows)
                    case statement:
                        rows = self._select(session, statement, compress=query.compressed)
                        progress = _progress(read=rows)
        except EngineError as error:
            self._send(_exception(error))
        else:
            self._send(progress, varint(_END))

    def _read_query(self) -> _Query:
        source = self._source
        source.text()  # its id
        self._skip_client_info()
        settings = {}
        while name := source.text():
            flags = source.varint()
            settings[name] = Setting(source.text(), is_vital=bool(flags & 1))
        source.varint()  # stage
        is_compressed = bool(source.varint())
        return _Query(sql=source.text(), settings=settings, compressed=is_compressed)

    def _skip_client_info(self) -> None:
        source = self._source
        if source.byte() == 0:  # no query kind: nothing follows
            return
        for _ in range(3):  # user, id and address of the first query
            source.text()
        source.byte()  # interface
        for _ in range(3):  # the client's user, host and name
            source.text()
        for _ in range(3):  # its version and revision
            source.varint()
        source.text()  # quota key
        source.varint()  # patch of its version

    def _select(self, session: Session, statement: Statement, *, compress: bool) -> int:
        rows = 0
        with closing(session.blocks(statement)) as blocks:
            for block in blocks:
                rows += _rows(block)
                self._send_block(block, compress=compress)
                if self._cancelled():
                    break
        return rows

    def _send_block(self, block: bytes, *, compress: bool) -> None:
        content = _BLOCK_INFO + block
        self._send(_BLOCK_HEADER, compressed(content) if compress else content)

    def _insert(self, session: Session, insert: DataInsert, blocks: "_Blocks") -> int:
        columns = session.columns(insert)
        with session.insertion(insert, "Native") as insertion:
            self._send_block(columns, compress=blocks.compressed)
            while block := blocks.read():
                insertion.append(block)
            return insertion.finish()

    def _cancelled(self) -> bool:
        self._source.let_go()
        if not self._source.data and not is_readable(self._socket):
            return False
        packet = self._source.varint()
        if packet != _CANCEL:
            raise ProtocolError(f"a packet of type {packet} while a query runs")
        return True

    def _send(self, *pieces: bytes) -> None:
        self._socket.sendall(b"".join(pieces))


def is_readable(client: socket.socket) -> bool:
    """Return whether a client has sent something, or has gone."""
    poller = select.poll()  # the engine opens many files: select() takes no numbers above 1,023
    poller.register(client, select.POLLIN)
    return bool(poller.poll(0))


class _Blocks:
    """The data packets of one query."""

    def __init__(self, source: ByteSource, *, compressed_blocks: bool) -> None:
        self._packets = source
        self.compressed = compressed_blocks
        self._content = ByteSource(lambda: read_frame(source)) if compressed_blocks else source

    def no_external_tables(self) -> None:
        """Read the blocks that come with a query; raise EngineError if one is not empty."""
        refused = False
        while self.read():
            refused = True
        if refused:
            raise EngineError(
                NOT_IMPLEMENTED,
                "DB::Exception: External tables are not taken here; use a temporary table."
                " (NOT_IMPLEMENTED)",
            )

    def read(self) -> bytes:
        """Return the next block, without block info; nothing for the empty one that ends them."""
        self._packets.let_go()
        packet = self._packets.varint()
        if packet != _DATA:
            raise ProtocolError(f"a packet of type {packet} where data was expected")
        self._packets.text()  # name of an external table
        content = self._content
        if content is not self._packets:
            self._packets.let_go()
            content.let_go()
        _skip_block_info(content)
        start = content.at
        block = walk(content)
        return bytes(content.data[start : content.at]) if block.columns else b""


def _skip_block_info(source: ByteSource) -> None:
    sizes = {1: 1, 2: 4}
    while field := source.varint():
        if field not in sizes:
            raise ProtocolError(f"block info with a field {field}")
        source.take(sizes[field])


def _rows(block: bytes) -> int:
    source = ByteSource.over(block[:_COUNTS_BYTES_MAX])
    source.varint()
    return source.varint()


def _progress(*, read: int = 0, written: int = 0) -> bytes:
    """Rows read, bytes read, rows to be read, rows and bytes written."""
    numbers = (read, 0, 0, written, 0)
    return varint(_PROGRESS) + b"".join(varint(number) for number in numbers)


def _exception(error: EngineError) -> bytes:
    code = error.code.to_bytes(4, "little", signed=True)
    nothing_nested = b"\x00"
    stack_trace = text("")
    return b"".join(
        (
            varint(_EXCEPTION),
            code,
            text("DB::Exception"),
            text(error.message),
            stack_trace,
            nothing_nested,
        )
    )
