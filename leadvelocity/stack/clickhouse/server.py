"""The server process: one engine, two listening ports, a clean end."""

import logging
import signal
import socket
import socketserver
import threading
from http.server import ThreadingHTTPServer
from types import FrameType

from leadvelocity.stack.clickhouse.account import Account
from leadvelocity.stack.clickhouse.engine import Engine
from leadvelocity.stack.clickhouse.errors import Disconnected, ProtocolError
from leadvelocity.stack.clickhouse.http_interface import HttpHandler
from leadvelocity.stack.clickhouse.native import NativeConnection

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"

CONNECTIONS_MAX = 500
"""Threads of both interfaces; further clients are turned away until some leave."""

STOP_S_MAX = 5.0
"""How long statements under way may take once the server is told to stop."""


class _Limited:
    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002
        return threading.active_count() < CONNECTIONS_MAX


class _NativeServer(_Limited, socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

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


class _HttpServer(_Limited, ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        logger.info("http: a connection was closed", exc_info=True)


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
