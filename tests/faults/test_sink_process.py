"""The sink as operators run it, while ClickHouse or it itself goes away."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from leadvelocity.kafka import extents, partition_counts
from leadvelocity.provision import provision_topics
from leadvelocity.settings import KafkaSettings, Settings
from leadvelocity.stack.endpoints import Endpoints
from schemas.topics import DEAD_LETTERS, TIER_CHANGES
from sinks.client import ClickHouse, query
from tests.faults.sink_process import COMMAND_S_MAX, TOPICS, Sinks, memory_bytes, sinks_in
from tests.faults.table import FaultRow
from tests.faults.wire import Wire, wire_to

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
MEMORY_BYTES_MAX = 700 << 20
"""Loose: a growth without bound would be far above it."""

KILLS = 6

LETTERS, LETTER_BYTES = 900, 1 << 20
"""Large records, to the most that a worker writes: more than the sink may hold."""


@pytest.fixture
def wire(clickhouse_server: ClickHouse) -> Iterator[Wire]:
    """A wire to the stack's ClickHouse."""
    with wire_to(clickhouse_server.port) as wire:
        yield wire


@pytest.fixture
def sinks(
    stack: Endpoints,
    clickhouse_server: ClickHouse,
    wire: Wire,
    tmp_path: Path,
    table: list[FaultRow],
) -> Iterator[Sinks]:
    """Sinks behind the wire, with a database of their own."""
    print(f"SEED={SEED}")  # noqa: T201  # so that a run can be repeated
    with sinks_in(
        tmp_path, stack, clickhouse_server, port=wire.port, name=f"run_{uuid4().hex}", table=table
    ) as sinks:
        yield sinks


@pytest.fixture(scope="module", autouse=True)
def empty_topics(stack: Endpoints) -> Iterator[None]:
    """Leave nothing of ours in the topics: other tests run workers on them."""
    yield
    for topic in TOPICS:
        remake(stack, topic)


def remake(stack: Endpoints, topic: str) -> None:
    """Delete a topic and make it anew."""
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=stack.kafka))
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    admin.delete_topics([topic], operation_timeout=30)[topic].result(30)
    for _ in range(100):
        if topic not in partition_counts(settings.kafka.connection()):
            break
        Event().wait(0.1)
    provision_topics(settings, lambda _: None)


def away(wire: Wire) -> None:
    wire.is_refusing = True
    wire.cut()


def back(wire: Wire) -> None:
    wire.is_refusing = False


@pytest.mark.slow
def test_a_backlog_while_clickhouse_is_away(sinks: Sinks, wire: Wire) -> None:
    """With ClickHouse away memory stays bounded, SIGTERM ends with 0, and nothing is lost."""
    first = sinks.start()
    sinks.wait_running()
    away(wire)
    sinks.send_changes(100_000)
    sinks.send_letters(LETTERS, size_bytes=LETTER_BYTES)
    peak = 0
    for _ in range(60):
        Event().wait(0.5)
        peak = max(peak, memory_bytes(first))
    print(f"peak {peak >> 20} MiB")  # noqa: T201  # loosely bounded, so said
    assert sinks.said("the store is away")
    assert peak < MEMORY_BYTES_MAX
    assert sinks.stop(first) == 0
    back(wire)
    second = sinks.start()
    try:
        sinks.wait_stored("ClickHouse away, large records", times=1, seconds=240)
    finally:  # other tests need not read all that
        sinks.stop(second)
        remake(sinks.endpoints, DEAD_LETTERS)


def test_a_sink_that_never_found_clickhouse_stops_politely(sinks: Sinks, wire: Wire) -> None:
    """A sink that waits for ClickHouse from its start on ends with 0 when it is told to."""
    away(wire)
    process = sinks.start()
    sinks.wait(lambda: sinks.said("ClickHouse is away"), seconds=60, what="waiting")
    assert sinks.stop(process) == 0


def test_a_sink_told_to_stop_before_a_silent_clickhouse_ends(sinks: Sinks, wire: Wire) -> None:
    """A sink whose insert is never answered ends with 0 all the same, and the next one writes."""
    process = sinks.start()
    sinks.wait_running()
    wire.slow_statement = b"INSERT INTO tier_changes"
    wire.answer_delay_s = 600.0
    sinks.send_changes(1_000)
    sinks.wait(lambda: wire.is_waiting, seconds=60, what="an insert under way")
    assert sinks.stop(process) == 0
    wire.answer_delay_s = 0.0
    sinks.start()
    sinks.wait_stored("SIGTERM before a silent ClickHouse", times=1)


@pytest.mark.slow
def test_slow_inserts_and_sinks_that_come_and_go(sinks: Sinks, wire: Wire) -> None:
    """With seconds for each insert the group still settles, and rows are exact afterwards."""
    wire.slow_statement = b"INSERT INTO tier_changes"
    wire.answer_delay_s = 2.5  # two answers an insert
    first = sinks.start()
    sinks.wait_running()
    sinks.send_changes(20_000)
    for _ in range(3):
        guest = sinks.start()
        sinks.wait_running()
        Event().wait(3)
        assert sinks.stop(guest) == 0
    assert memory_bytes(first) < MEMORY_BYTES_MAX
    wire.answer_delay_s = 0.0
    sinks.wait_stored("slow inserts, sinks join and leave", times=3)
    assert sinks.stop(first) == 0


@pytest.mark.slow
def test_sinks_that_are_killed_leave_exact_rows(sinks: Sinks, wire: Wire) -> None:
    """Sinks that die at any moment, with connections that break too, store each record once."""
    chance = random.Random(SEED)
    sinks.send_changes(40_000)
    for _ in range(KILLS):
        process = sinks.start()
        sinks.wait_running()
        Event().wait(chance.uniform(0.0, 2.0))
        if chance.random() < 0.5:
            wire.cut()
        sinks.kill(process)
    sinks.start()
    sinks.wait_stored("kill -9 of sinks, connections cut", times=KILLS)


def test_what_is_not_ours_is_kept_and_its_neighbours_stored(sinks: Sinks) -> None:
    """Foreign bytes in an output topic are kept as rejected rows; later rows are stored."""
    sinks.send_changes(10)
    sinks.send(TIER_CHANGES, iter([b"\x00garbage", b"hello"]))
    sinks.send_changes(10)
    records = len(sinks.in_kafka(TIER_CHANGES))
    sinks.start()
    counts = "SELECT (SELECT count() FROM tier_changes FINAL), (SELECT count() FROM rejected_rows)"

    def is_done() -> bool:
        rows, rejected = query(sinks.clickhouse, counts).rows[0]
        return bool(rejected >= 2 and rows + rejected == records)

    try:
        sinks.wait(is_done, seconds=120, what="rows")
    finally:
        remake(sinks.endpoints, TIER_CHANGES)


def refused(sinks: Sinks) -> str:
    """Start a sink that must refuse; return what it says."""
    process = sinks.start()
    assert process.wait(COMMAND_S_MAX) == 1
    sinks.running.remove(process)
    return sinks.log.read_text()


def test_a_topic_made_anew_is_refused(sinks: Sinks) -> None:
    """A sink does not mix rows of a topic and of its successor; the cure that it names helps."""
    sinks.send_letters(20, size_bytes=10)
    process = sinks.start()
    sinks.wait_stored()
    assert sinks.stop(process) == 0
    query(
        sinks.clickhouse,
        "INSERT INTO source_positions (source_topic, source_partition, position)"
        f" SELECT '{DEAD_LETTERS}', 0, 9",
    )
    remake(sinks.endpoints, DEAD_LETTERS)
    sinks.send_letters(40, size_bytes=10)  # longer than the former: positions alone tell nothing

    said = refused(sinks)

    assert "topic dead-letters is not the one" in said
    for statement in (
        "TRUNCATE TABLE dead_letters",
        "DELETE FROM source_positions WHERE source_topic = 'dead-letters'",
        "DELETE FROM source_topics WHERE source_topic = 'dead-letters'",
    ):
        assert statement in said
        query(sinks.clickhouse, statement)
    sinks.start()
    sinks.wait_stored("topic made anew", times=1)


def test_an_idle_partition_outlives_its_retention(sinks: Sinks) -> None:
    """A sink goes over the marks behind its last rows, so that their age is no loss one day."""
    sinks.send_letters(20, size_bytes=10)
    process = sinks.start(LEADVELOCITY_ENGINE__MARKERS_EVERY_S="1")
    sinks.wait_stored()
    ends = {each.partition: each.end for each in extents(sinks.kafka, [DEAD_LETTERS])}
    sinks.wait(lambda: noted(sinks, DEAD_LETTERS) == ends, seconds=30, what="notes")
    assert sinks.stop(process) == 0
    admin = AdminClient({"bootstrap.servers": sinks.endpoints.kafka})
    aged = [TopicPartition(DEAD_LETTERS, partition, end) for partition, end in ends.items()]
    for deleted in admin.delete_records(aged).values():
        deleted.result(30)
    rows = sinks.in_clickhouse(DEAD_LETTERS)
    sinks.send_letters(4, size_bytes=10)

    sinks.start()

    expected = [*rows, *sinks.in_kafka(DEAD_LETTERS)]
    assert len(expected) == len(rows) + 4
    sinks.wait(
        lambda: sinks.in_clickhouse(DEAD_LETTERS) == sorted(expected), seconds=60, what="rows"
    )


def noted(sinks: Sinks, topic: str) -> dict[int, int]:
    """Return the positions that sinks have noted."""
    sql = "SELECT source_partition, position FROM source_positions FINAL WHERE source_topic = "
    return dict(query(sinks.clickhouse, f"{sql}'{topic}'").rows)


def test_positions_beyond_the_topic_are_refused(sinks: Sinks) -> None:
    """A sink does not start where ClickHouse holds rows that the topic does not have."""
    query(
        sinks.clickhouse,
        "INSERT INTO dead_letters (source_topic, source_partition, source_offset)"
        " SELECT 'dead-letters', 0, 1000000",
    )
    assert "up to offset 1000000, but the topic ends at" in refused(sinks)
