"""Peers in Java: Kafka Streams and Flink, exactly once, with RocksDB."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.answers import Standing
from bench.engines.run import Run, check_answers, json_changes, last_values
from bench.inputs import Progress, create_topics
from bench.java import JavaProgram, compiled

OPTIONS = (
    "-Xmx1g",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
)
FLINK_OPTIONS = (
    "-Xmx2g",
    *OPTIONS[1:],
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
)
_STATE = struct.Struct(">dq")


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaStreams:
    """Kafka Streams with `exactly_once_v2`, a cached RocksDB store and its changelog."""

    program: JavaProgram
    key: str = "kafka_streams_exactly_once"
    title: str = "Kafka Streams, exactly once, RocksDB"
    commits_at_end: bool = True

    def prepare(self, run: Run) -> None:
        """Make the topic of its tier changes; it makes its changelog itself."""
        create_topics(run.settings, [run.output])

    def command(self, run: Run) -> Sequence[str]:
        """Return the command that runs it."""
        return [*self.program.command(*OPTIONS), str(run.write_job())]

    def output(self, run: Run) -> str:
        """Return the topic of its tier changes."""
        return run.output

    def check(self, run: Run) -> None:
        """Check its tier changes and its changelog."""
        check_answers(run, json_changes, self._standings)

    def _standings(self, run: Run) -> Mapping[str, Standing]:
        values = last_values(run, f"{run.group}-leads-changelog")
        return {key: Standing(*_STATE.unpack_from(value)) for key, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flink:
    """Flink with exactly-once checkpoints and sink, and RocksDB; all in one process."""

    program: JavaProgram
    key: str = "flink_exactly_once"
    title: str = "Flink, exactly once, RocksDB"
    commits_at_end: bool = True

    def prepare(self, run: Run) -> None:
        """Make the topic of its tier changes."""
        create_topics(run.settings, [run.output])

    def command(self, run: Run) -> Sequence[str]:
        """Return the command that runs it."""
        return [*self.program.command(*FLINK_OPTIONS), str(run.write_job())]

    def output(self, run: Run) -> str:
        """Return the topic of its tier changes."""
        return run.output

    def check(self, run: Run) -> None:
        """Check its tier changes; its state is in checkpoint files of its own format."""
        check_answers(run, json_changes, None)


def kafka_streams(folder: Path, progress: Progress) -> KafkaStreams:
    """Return Kafka Streams, compiled."""
    main = "leadbench.KafkaStreamsPeer"
    program = compiled(main, needs="kafka-streams", folder=folder / "kafka", progress=progress)
    return KafkaStreams(program=program)


def flink(folder: Path, progress: Progress) -> Flink:
    """Return Flink, compiled."""
    main = "leadbench.FlinkPeer"
    program = compiled(main, needs="flink", folder=folder / "flink", progress=progress)
    return Flink(program=program)
