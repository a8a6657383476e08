"""ClickHouse's HTTP interface, as far as its clients, Grafana and curl use it."""

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

import lz4.frame  # type: ignore[import-untyped]

from leadvelocity.stack.clickhouse.account import Account
from leadvelocity.stack.clickhouse.engine import Engine, Session, Setting
from leadvelocity.stack.clickhouse.errors import AUTHENTICATION_FAILED, EngineError
from leadvelocity.stack.clickhouse.statement import DataInsert, parse

BODY_BYTES_MAX = 1 << 30
"""A longer request is refused."""

REQUEST_S = 300.0
"""How long a client may take to send a request, or rest between two."""

_NO_SETTINGS = frozenset(
    (
        *("query", "query_id", "database", "default_format", "user", "password", "role"),
        *("session_id", "session_timeout", "session_check", "client_protocol_version"),
        *("compress", "decompress", "enable_http_compression", "http_zlib_compression_level"),
        *("buffer_size", "wait_end_of_query", "send_progress_in_http_headers", "quota_key"),
    )
)
_Recode = Callable[[bytes], bytes]
_UNZIP: dict[str, _Recode] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "identity": bytes,
}
_ZIP: dict[str, _Recode] = {"lz4": lz4.frame.compress, "gzip": lambda data: gzip.compress(data, 1)}
_ZIP_FROM_BYTES = 1_000
_LINE_BYTES_MAX = 8_192
_STATUS = {
    AUTHENTICATION_FAILED: HTTPStatus.FORBIDDEN,
    60: HTTPStatus.NOT_FOUND,  # table
    81: HTTPStatus.NOT_FOUND,  # database
    62: HTTPStatus.BAD_REQUEST,  # syntax
}

_GREETINGS = ("/ping", "/")


class HttpHandler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = REQUEST_S
    engine: Engine
    account: Account

    def do_GET(self) -> None:  # named by the base class
        """Greet, or run a query that changes nothing."""
        url = urlsplit(self.path)
        if url.path in _GREETINGS and not url.query:
            self._reply(HTTPStatus.OK, b"Ok.\n")
        else:
            self._run(b"", {"readonly": Setting("2")})

    def do_POST(self) -> None:
        """Run a query."""
        try:
            body = self._body()
        except (ValueError, zlib.error, EOFError, OSError, RuntimeError) as error:
            self.close_connection = True
            self._reply(HTTPStatus.BAD_REQUEST, f"unreadable body: {error}\n".encode())
            return
        self._run(body, {})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: addresses of requests may hold passwords."""

    def _run(self, body: bytes, settings: dict[str, Setting]) -> None:
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        try:
            self._authenticate(parameters)
            database = parameters.get("database") or self.headers.get("X-ClickHouse-Database")
            session = self.engine.session(database or self.account.database)
            with closing(session):
                settings |= {
                    name: Setting(value)
                    for name, value in parameters.items()
                    if name not in _NO_SETTINGS and not name.startswith("param_")
                }
                with session.with_settings(settings):
                    answer = self._execute(session, parameters, body)
        except EngineError as error:
            status = _STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
            message = f"Code: {error.code}. {error.message}\n".encode("utf-8", "replace")
            self._reply(status, message, {"X-ClickHouse-Exception-Code": str(error.code)})
        else:
            self._reply(HTTPStatus.OK, answer.content, answer.headers())

    def _authenticate(self, parameters: dict[str, str]) -> None:
        user = self.headers.get("X-ClickHouse-User") or parameters.get("user", "")
        password = self.headers.get("X-ClickHouse-Key") or parameters.get("password", "")
        scheme, _, basic = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(basic).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                user = password = ""
        self.account.check(user, password)

    def _execute(self, session: Session, parameters: dict[str, str], body: bytes) -> "_Answer":
        query = parameters.get("query", "")
        sql = query or body.decode("utf-8", "surrogateescape")
        match parse(sql):
            case DataInsert() as insert:
                data = insert.data.encode("utf-8", "surrogateescape") + (body if query else b"")
                with session.insertion(insert, insert.format or "Values") as insertion:
                    insertion.append(data)
                    return _Answer(written_rows=insertion.finish())
            case statement:
                named = {
                    name.removeprefix("param_"): value
                    for name, value in parameters.items()
                    if name.startswith("param_")
                }
                wanted = self.headers.get("X-ClickHouse-Format") or parameters.get("default_format")
                format_name = statement.format or wanted or "TabSeparated"
                result = session.formatted(statement, format_name, named)
                return _Answer(
                    content=result.bytes(), format_name=format_name, read_rows=result.rows_read()
                )

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = b"".join(self._chunks())
        else:
            length = int(self.headers.get("Content-Length", 0))
            if not 0 <= length <= BODY_BYTES_MAX:
                raise ValueError(f"{length} bytes; the limit is {BODY_BYTES_MAX}")
            body = self.rfile.read(length)
            if len(body) < length:
                raise EOFError("the connection ended")
        encoding = self.headers.get("Content-Encoding", "identity").lower()
        if encoding not in _UNZIP:
            raise ValueError(f"encoding {encoding}; known are {', '.join(_UNZIP)}")
        return _UNZIP[encoding](body)

    def _chunks(self) -> Iterator[bytes]:
        total = 0
        while size := int(self.rfile.readline(_LINE_BYTES_MAX).split(b";")[0], 16):
            total += size
            if total > BODY_BYTES_MAX:
                raise ValueError(f"more than {BODY_BYTES_MAX} bytes")
            chunk = self.rfile.read(size)
            if len(chunk) < size or self.rfile.readline(_LINE_BYTES_MAX).strip():
                raise EOFError("a broken chunk")
            yield chunk
        while self.rfile.readline(_LINE_BYTES_MAX).strip():
            pass  # trailers

    def _reply(
        self, status: HTTPStatus, content: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        accepted = self.headers.get("Accept-Encoding", "") if len(content) > _ZIP_FROM_BYTES else ""
        encoding = next((name for name in _ZIP if name in accepted), None)
        if encoding:
            content = _ZIP[encoding](content)
        self.send_response(status)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    content: bytes = b""
    format_name: str | None = None
    read_rows: int = 0
    written_rows: int = 0

    def headers(self) -> dict[str, str]:
        numbers = {
            "read_rows": self.read_rows,
            "read_bytes": 0,
            "written_rows": self.written_rows,
            "written_bytes": 0,
            "total_rows_to_read": 0,
            "result_rows": self.read_rows,
            "result_bytes": len(self.content),
        }
        summary = {name: str(number) for name, number in numbers.items()}
        headers = {
            "Content-Type": _content_type(self.format_name),
            "X-ClickHouse-Summary": json.dumps(summary),
            "X-ClickHouse-Timezone": "UTC",
        }
        if self.format_name:
            headers["X-ClickHouse-Format"] = self.format_name
        return headers


def _content_type(format_name: str | None) -> str:
    name = (format_name or "").upper()
    if name.startswith("JSON"):
        return "application/json; charset=UTF-8"
    if name.startswith("CSV"):
        return "text/csv; charset=UTF-8"
    if name.startswith(("TAB", "TSV", "PRETTY", "VERTICAL")):
        return "text/tab-separated-values; charset=UTF-8"
    return "application/octet-stream"
