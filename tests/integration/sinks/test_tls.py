"""What TLS promises: ClickHouse behind a door that encrypts."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse, query
from sinks.migrate import migrate
from sinks.port import SinkUnavailable

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this host that nobody has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clickhouse")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(1 << 16):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def door(clickhouse_server: ClickHouse, certificate: Path) -> Iterator[ClickHouse]:
    """The server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(listener: ssl.SSLSocket) -> None:
        while True:
            try:
                outside, _ = listener.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            inside = socket.create_connection((clickhouse_server.host, clickhouse_server.port))
            for ends in ((outside, inside), (inside, outside)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as plain:
        listener = context.wrap_socket(plain, server_side=True)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield replace(
            clickhouse_server, host="127.0.0.1", port=listener.getsockname()[1], secure=True
        )
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def test_a_trusted_server_is_used(door: ClickHouse, fresh: ClickHouse, certificate: Path) -> None:
    """With the right authority, migrations, queries and the sink speak TLS."""
    safe = replace(door, database=fresh.database, ca_file=str(certificate))
    assert migrate(safe)
    assert query(safe, "SELECT count() FROM tier_changes").rows == ((0,),)
    sink = ClickHouseSink(safe)
    assert sink.positions("tier-changes") == {}
    sink.close()


def test_a_server_that_is_not_trusted_is_refused(door: ClickHouse, fresh: ClickHouse) -> None:
    """A certificate that nobody we trust has signed is refused; nothing is sent, nothing lost."""
    with pytest.raises(SinkUnavailable):
        query(door, "SELECT 1")
    with pytest.raises(SinkUnavailable):
        migrate(replace(door, database=fresh.database))


def test_checking_can_be_turned_off(door: ClickHouse) -> None:
    """Who says so gets TLS without the check."""
    assert query(replace(door, verify=False), "SELECT 1").rows == ((1,),)
