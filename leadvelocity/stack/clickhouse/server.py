"""The server process: one engine, two listening ports, a clean end."""

import logging
import signal
import socket
import socketserver
import sys
import threading
from contextlib import suppress
from http.server import ThreadingHTTPServer
from types import FrameType
from typing import Any

from leadvelocity.stack.clickhouse.account import Account
from leadvelocity.stack.clickhouse.engine import Engine
from leadvelocity.stack.clickhouse.errors import Disconnected, ProtocolError
from leadvelocity.stack.clickhouse.http_interface import HttpHandler
from leadvelocity.stack.clickhouse.native import NativeConnection

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"

CONNECTIONS_MAX = 500
"""Of each interface; further clients are turned away until some leave."""

STOP_S_MAX = 5.0
"""How long statements under way may take once the server is told to stop."""


class _Connections(socketserver.ThreadingMixIn):
    """Knows the connections of a server, so that it can take leave of them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        with self._changed:
            if len(self._open) >= CONNECTIONS_MAX:
                logger.warning("a client was turned away: %d are here", CONNECTIONS_MAX)
                return False
            self._open.add(request)
            return True

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)  # type: ignore[misc]
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        logger.info("a connection was closed: %r", sys.exception())

    def take_leave(self) -> None:
        """Let clients' statements end, and read no more of them."""
        with self._changed:
            for client in self._open:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._open, timeout=STOP_S_MAX)


class _NativeServer(_Connections, socketserver.TCPServer):
    allow_reuse_address = True

    def __init__(self, port: int, engine: Engine, account: Account) -> None:
        self.engine = engine
        self.account = account
        super().__init__((HOST, port), _NativeHandler)


class _NativeHandler(socketserver.BaseRequestHandler):
    server: _NativeServer

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            NativeConnection(self.request, self.server.engine, self.server.account).serve()
        except (Disconnected, ConnectionError, TimeoutError):
            pass  # they come and go
        except ProtocolError as error:
            logger.warning("native: a connection was closed: %s", error)
        except Exception:
            logger.exception("native: a connection was closed")


class _HttpServer(_Connections, ThreadingHTTPServer):
    """The HTTP interface."""


def run(engine: Engine, account: Account, *, port: int, http_port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    OSError
        A port is taken.
    """
    handler = type("Handler", (HttpHandler,), {"engine": engine, "account": account})
    stop = threading.Event()

    def stopping(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopping)
    with (
        _NativeServer(port, engine, account) as native,
        _HttpServer((HOST, http_port), handler) as http,
    ):
        servers = (native, http)
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        logger.info("answering at %s, native port %d, http port %d", HOST, port, http_port)
        stop.wait()
        logger.info("stopping")
        for server in servers:
            server.shutdown()
        for server in servers:
            server.take_leave()
