"""Kafka behind TLS and passwords: what is let in works, and what is not says so in one line."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from leadvelocity.records import read_topic
from leadvelocity.settings import KafkaSettings, RegistrySettings, Settings
from leadvelocity.stack import ports, process
from leadvelocity.stack.endpoints import Endpoints
from leadvelocity.stack.kafka import Kafka
from leadvelocity.stack.part import Command, Progress
from leadvelocity.stack.record import StackRecord
from leadvelocity.stack.runner import Runner
from schemas.topics import TIER_CHANGES
from sinks.client import ClickHouse, query
from tests.integration.servers import server_variables

pytestmark = pytest.mark.integration

COMMAND = (sys.executable, "-m", "leadvelocity")
USER, PASSWORD, WRONG = "leadvelocity", "open-sesame-1", "hunter2-wrong"
REFUSED_S_MAX = 60
"""Much more than a refusal takes, and much less than for ever."""

SECURITY = """
listener.security.protocol.map=\
PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORDS:SASL_SSL,CERTIFICATES:SSL
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.certificates.ssl.client.auth=required
listener.name.passwords.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.passwords.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.passwords.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class GuardedKafka(Kafka):
    """The stack's broker with two more doors: one for passwords, one for client certificates."""

    def prepare(self, progress: Progress) -> Command:
        command = super().prepare(progress)
        file = self.directory / "kafka" / "server.properties"
        doors = json.loads((self.directory / "doors.json").read_text())
        more = "".join(f",{name}://{ports.HOST}:{port}" for name, port in doors.items())
        lines = [
            line + more if line.startswith(("listeners=", "advertised.listeners=")) else line
            for line in file.read_text().splitlines()
        ]
        security = SECURITY.format(folder=self.directory, user=USER, password=PASSWORD)
        file.write_text("\n".join(lines) + security)
        return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """Where the doors are, and the folder with the certificates."""

    passwords: str
    certificates: str
    folder: Path

    def by_password(self, mechanism: str, **other: str) -> dict[str, str]:
        return {
            "bootstrap_servers": self.passwords,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": mechanism,
            "username": USER,
            "password": PASSWORD,
            "ca_file": str(self.folder / "ca.pem"),
            **other,
        }

    def by_certificate(self, **other: str) -> dict[str, str]:
        return {
            "bootstrap_servers": self.certificates,
            "security_protocol": "SSL",
            "ca_file": str(self.folder / "ca.pem"),
            **other,
        }


def variables(kafka: dict[str, str]) -> dict[str, str]:
    return {f"LEADVELOCITY_KAFKA__{name.upper()}": value for name, value in kafka.items()}


def make_certificates(folder: Path) -> None:
    """An authority, a server and a client that it has signed, and an authority of strangers."""
    now = datetime.now(UTC)

    def name_of(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def make(
        subject: str, issuer: str, issuer_key: ec.EllipticCurvePrivateKey | None
    ) -> ec.EllipticCurvePrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address(ports.HOST))])
        made = (
            x509.CertificateBuilder()
            .subject_name(name_of(subject))
            .issuer_name(name_of(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.BasicConstraints(ca=issuer_key is None, path_length=None), critical=True
            )
            .add_extension(here, critical=False)
            .sign(issuer_key or key, hashes.SHA256())
        )
        certificate = made.public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / f"{subject}.crt").write_bytes(certificate)
        (folder / f"{subject}.key").write_bytes(secret)
        (folder / f"{subject}.pem").write_bytes(
            certificate if issuer_key is None else secret + certificate
        )
        return key

    authority = make("ca", "ca", None)
    make("strangers", "strangers", None)
    make("server", "ca", authority)
    make("client", "ca", authority)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    make_certificates(folder)
    free = ports.choose(("kafka", "controller", "PASSWORDS", "CERTIFICATES"))
    doors = {name: free[name] for name in ("PASSWORDS", "CERTIFICATES")}
    (folder / "doors.json").write_text(json.dumps(doors))
    kafka = GuardedKafka(
        directory=folder,
        cache=None,
        port=free["kafka"],
        controller_port=free["controller"],
        cluster_id=StackRecord.new().kafka_cluster_id,
    )
    runner = Runner(answer_within_s=90, given_up=threading.Event(), progress=lambda _: None)
    started: list[process.ProcessId] = []
    try:
        runner.start(kafka, started=started.append)
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = AdminClient({"bootstrap.servers": kafka.address})
        asked = admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())]
        )
        for future in asked.values():
            future.result(30)
        yield Guarded(
            passwords=f"{ports.HOST}:{doors['PASSWORDS']}",
            certificates=f"{ports.HOST}:{doors['CERTIFICATES']}",
            folder=folder,
        )
    finally:
        for identity in started:
            if running := process.find(identity):
                process.stop(running, within_s=20)


@pytest.fixture
def servers(
    stack: Endpoints, run_name: str, clickhouse_server: ClickHouse
) -> Iterator[dict[str, str]]:
    """The other servers, as variables, with a database and topics of the test's own."""
    yield server_variables(stack, database=run_name)
    query(clickhouse_server, f"DROP DATABASE IF EXISTS {run_name}")


def leadvelocity(
    *arguments: str,
    environment: dict[str, str],
    folder: Path,
    given: str = "",
    seconds: float = 120,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments, "--dir", str(folder)],
        env=os.environ | environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def settings_of(kafka: dict[str, str], servers: dict[str, str]) -> Settings:
    secret = {name: value for name, value in kafka.items() if name != "password"}
    password = SecretStr(kafka["password"]) if "password" in kafka else None
    return Settings(
        kafka=KafkaSettings.model_validate({**secret, "password": password}),
        registry=RegistrySettings(url=servers["LEADVELOCITY_REGISTRY__URL"]),
    )


@pytest.mark.parametrize(
    "door",
    [
        "SCRAM-SHA-512",
        pytest.param("PLAIN", marks=pytest.mark.slow),
        pytest.param("certificate", marks=pytest.mark.slow),
    ],
)
def test_the_pipeline_runs_through_the_door(
    door: str, guarded: Guarded, servers: dict[str, str], tmp_path: Path
) -> None:
    """Set-up, sending, scoring and reading back work over TLS, by password and by certificate."""
    if door == "certificate":
        crt, key = (str(guarded.folder / f"client.{end}") for end in ("crt", "key"))
        kafka = guarded.by_certificate(cert_file=crt, key_file=key)
    else:
        kafka = guarded.by_password(door)
    environment = {**servers, **variables(kafka)}
    lead = f"lead-{door}"
    fill = {
        "type": "form_fill",
        "event_id": f"{lead}-1",
        "lead_id": lead,
        "occurred_at": time.time_ns() // 1_000_000,
        "form_id": "demo",
        "fields": {"country": "DE"},
    }
    for arguments, given in ((("setup",), ""), (("send", "-"), json.dumps(fill))):
        done = leadvelocity(*arguments, environment=environment, folder=tmp_path, given=given)
        assert done.returncode == 0, done.stderr
    settings = settings_of(kafka, servers)
    log = tmp_path / "worker.log"
    with log.open("wb") as stream:
        worker = subprocess.Popen(
            [*COMMAND, "worker", "--dir", str(tmp_path)],
            env=os.environ | environment,
            stdout=stream,
            stderr=stream,
        )
    try:
        until = time.monotonic() + 90
        found: list[str] = []
        while lead not in found:
            assert worker.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            found = [each.record["lead_id"] for each in read_topic(settings, TIER_CHANGES)]
    finally:
        worker.terminate()
        assert worker.wait(40) == 0
    assert PASSWORD not in log.read_text()


@pytest.mark.parametrize(
    ("command", "mechanism"),
    [
        ("setup", "PLAIN"),
        *((each, "SCRAM-SHA-512") for each in ("setup", "worker", "sink", "send")),
    ],
)
def test_a_wrong_password_is_refused_in_one_line(
    command: str, mechanism: str, guarded: Guarded, servers: dict[str, str], tmp_path: Path
) -> None:
    """A wrong password ends with exit code 1 and one line that says so, and shows no secret."""
    kafka = guarded.by_password(mechanism, password=WRONG)
    refused(command, {**servers, **variables(kafka)}, tmp_path, "username and password")


@pytest.mark.parametrize("command", ["setup", "worker"])
def test_an_untrusted_broker_is_refused_in_one_line(
    command: str, guarded: Guarded, servers: dict[str, str], tmp_path: Path
) -> None:
    """A broker that no authority of ours has signed gets no password, and the line says why."""
    kafka = guarded.by_password("PLAIN", ca_file=str(guarded.folder / "strangers.pem"))
    refused(command, {**servers, **variables(kafka)}, tmp_path, "ca_file")


def test_a_missing_certificate_is_refused_in_one_line(
    guarded: Guarded, servers: dict[str, str], tmp_path: Path
) -> None:
    """Where the broker asks for a certificate, coming without one ends with a line about it."""
    kafka = guarded.by_certificate()
    refused("setup", {**servers, **variables(kafka)}, tmp_path, "cert_file")


def refused(command: str, environment: dict[str, str], folder: Path, word: str) -> None:
    done = leadvelocity(command, environment=environment, folder=folder, seconds=REFUSED_S_MAX)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert word in said
    assert said.count("\n") == 1
    assert WRONG not in said
    assert PASSWORD not in said
