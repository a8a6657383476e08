"""How many rows a second the sink brings into ClickHouse."""

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event

from bench.cores import Cores
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.inputs import delete_topics
from bench.program import Program
from bench.servers import place
from bench.watch import GroupPosition, watch
from leadvelocity.kafka import last_offsets, read_to_end
from leadvelocity.roles import clickhouse_of
from leadvelocity.settings import Settings
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS
from sinks.clickhouse import ClickHouseSink
from sinks.client import query
from sinks.rows import table_of

LOOK_EVERY_S = 0.1
STORED_S_MAX = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSpeed:
    """What one sink on one core did, and what an event leaves behind.

    Parameters
    ----------
    rows_per_s : float
        Of all tables, from the first that were seen to the last.
    rows_per_event : float
    input_bytes, output_bytes, clickhouse_bytes : float
        For each event: in the input topics, in the output topics (uncompressed both), and in
        ClickHouse's tables.
    """

    rows_per_s: float
    rows_per_event: float
    input_bytes: float
    output_bytes: float
    clickhouse_bytes: float


def measure_sink(engine: Engine, run: Run, cores: Cores) -> SinkSpeed:
    """Let the whole product write its outputs, then let the first sink of these servers store them.

    Raises
    ------
    BenchFailed
    """
    settings = run.settings
    place(settings, cores.servers)
    engine.prepare(run)
    position = GroupPosition(settings.kafka.connection(), run.group, run.inputs)
    try:
        with Program(engine.command(run), log=run.folder / "worker.log", on=cores.engine) as worker:
            watch(position, [worker], until=lambda look: look.events >= run.inputs.records)
        wanted = sum(1 for _ in read_to_end(settings.kafka.connection(), OUTPUT_TOPICS))
        command = [
            *(sys.executable, "-m", "leadvelocity", "sink"),
            *("--dir", str(settings.directory), "--end-with-stdin"),
        ]
        with Program(command, log=run.folder / "sink.log", on=cores.engine) as sink:
            rows_per_s = _rate(settings, sink, wanted)
        events = run.inputs.records
        return SinkSpeed(
            rows_per_s=rows_per_s,
            rows_per_event=wanted / events,
            input_bytes=_topic_bytes(settings, INPUT_TOPICS) / events,
            output_bytes=_topic_bytes(settings, OUTPUT_TOPICS) / events,
            clickhouse_bytes=_sum(settings, "total_bytes") / events,
        )
    finally:
        position.close()
        delete_topics(settings, prefix=run.group)
        shutil.rmtree(settings.directory / "state", ignore_errors=True)


def _rate(settings: Settings, program: Program, wanted: int) -> float:
    ends = {topic: last_offsets(settings.kafka.connection(), topic) for topic in OUTPUT_TOPICS}
    sink = ClickHouseSink(clickhouse_of(settings))
    until_s = time.monotonic() + STORED_S_MAX
    began_s: float | None = None
    first = 0
    try:
        while not _is_stored(sink, ends):
            program.check()
            if time.monotonic() > until_s:
                raise BenchFailed(f"not all was stored in time; {program.last_lines()}")
            if began_s is None and (first := _sum(settings, "total_rows")):
                began_s = time.monotonic()
            Event().wait(LOOK_EVERY_S)
    finally:
        sink.close()
    if began_s is None:
        raise BenchFailed("all rows came at once: more events are needed to tell their speed")
    return (wanted - first) / (time.monotonic() - began_s)


def _is_stored(sink: ClickHouseSink, ends: Mapping[str, Mapping[int, int]]) -> bool:
    for topic, last in ends.items():
        held = sink.positions(topic)
        if any(held.get(partition, 0) <= offset for partition, offset in last.items()):
            return False
    return True


def _sum(settings: Settings, column: str) -> int:
    """Return rows or bytes of our tables; some rows replace former ones in time."""
    sql = (
        "SELECT sum(tupleElement((total_rows, total_bytes), %(index)s))"
        " FROM system.tables WHERE has(%(names)s, name)"
    )
    names = [table_of(topic) for topic in OUTPUT_TOPICS]
    index = ("total_rows", "total_bytes").index(column) + 1
    return int(query(clickhouse_of(settings), sql, {"names": names, "index": index}).rows[0][0])


def _topic_bytes(settings: Settings, topics: Sequence[str]) -> int:
    """Return the size of topics on the broker's disk."""
    data = settings.directory / "kafka" / "data"
    files = (file for topic in topics for file in data.glob(f"{topic}-[0-9]*/*.log"))
    return sum(file.stat().st_size for file in files)
