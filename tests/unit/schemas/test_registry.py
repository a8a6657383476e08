"""What the registry's client makes of answers, and of none."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.contracts import contract
from schemas.registry import (
    IncompatibleSchema,
    Registry,
    RegistryRefused,
    RegistryUnavailable,
    UnknownSchema,
)
from schemas.topics import WEBSITE_VISITS

SECRET = "correct-horse"


class Answer(BaseHTTPRequestHandler):
    """Answers every request with the status that its path ends with, after `/status/`."""

    def do_GET(self) -> None:
        """Answer."""
        status = int(self.path.split("/")[2])
        body = json.dumps({"error_code": status, "message": "so it is"}).encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815  the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/status"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, UnknownSchema),
        (401, RegistryRefused),
        (403, RegistryRefused),
        (404, UnknownSchema),
        (422, UnknownSchema),
        (429, RegistryUnavailable),
        (500, RegistryUnavailable),
        (503, RegistryUnavailable),
    ],
)
def test_answers(server: str, status: int, expected: type[Exception]) -> None:
    """What will pass is told apart from what will not, and a wrong password from both."""
    with (
        closing(Registry(f"{server}/{status}", retries_max=0)) as registry,
        pytest.raises(expected) as caught,
    ):
        registry.schema(1)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("status", "expected"), [(409, IncompatibleSchema), (422, IncompatibleSchema)]
)
def test_refused_contract(server: str, status: int, expected: type[Exception]) -> None:
    """A contract that the registry does not take is told apart from a registry that is away."""
    with (
        closing(Registry(f"{server}/{status}", retries_max=0)) as registry,
        pytest.raises(expected, match="website-visits-value"),
    ):
        registry.register(contract(WEBSITE_VISITS))


def test_nobody_there() -> None:
    """A registry that does not answer is unavailable, found out soon."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))  # never listens
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with closing(Registry(url)) as registry, pytest.raises(RegistryUnavailable):
            registry.id_of(contract(WEBSITE_VISITS))


def test_silence() -> None:
    """A registry that takes the request and never answers is unavailable after the timeout."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with (
            closing(Registry(url, timeout_s=0.2, retries_max=0)) as registry,
            pytest.raises(RegistryUnavailable),
        ):
            registry.schema(1)


def test_secrets_stay_secret(server: str) -> None:
    """No text about the registry has the password."""
    with closing(Registry(f"{server}/401", user="ann", password=SECRET, retries_max=0)) as registry:
        assert SECRET not in repr(registry)
        with pytest.raises(RegistryRefused, match="password") as caught:
            registry.id_of(contract(WEBSITE_VISITS))
    assert SECRET not in str(caught.value)
    with pytest.raises(ValueError, match="apart") as refused:
        Registry(f"http://ann:{SECRET}@127.0.0.1")
    assert SECRET not in str(refused.value)
