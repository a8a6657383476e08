"""What notes of positions promise."""

from threading import Event

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from leadvelocity.kafka import partition_counts
from leadvelocity.position_notes import note_positions
from leadvelocity.provision import provision_topics
from leadvelocity.settings import ClickHouseSettings, KafkaSettings, Settings
from leadvelocity.source_check import require_same_topics
from leadvelocity.stack.endpoints import Endpoints
from schemas.topics import LEAD_VELOCITY
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse, query
from sinks.migrate import migrate
from sinks.source_topics import note_position

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(stack: Endpoints, fresh: ClickHouse) -> Settings:
    """Settings with a database of our own, its tables, and a new topic."""
    migrate(fresh)
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=stack.kafka),
        clickhouse=ClickHouseSettings(
            host=fresh.host,
            port=fresh.port,
            user=fresh.user,
            password=SecretStr(fresh.password),
            database=fresh.database,
        ),
    )
    provision_topics(settings, lambda _: None)
    admin = AdminClient({"bootstrap.servers": stack.kafka})
    admin.delete_topics([LEAD_VELOCITY], operation_timeout=30)[LEAD_VELOCITY].result(30)
    for _ in range(100):
        if LEAD_VELOCITY not in partition_counts(settings.kafka.connection()):
            break
        Event().wait(0.1)
    provision_topics(settings, lambda _: None)
    return settings


@pytest.fixture
def producer(stack: Endpoints, run_name: str) -> Producer:
    """A producer of transactions."""
    made = Producer({"bootstrap.servers": stack.kafka, "transactional.id": run_name})
    made.init_transactions()
    return made


def send(producer: Producer, *, records: int) -> None:
    producer.begin_transaction()
    for _ in range(records):
        producer.produce(LEAD_VELOCITY, value=b"v", partition=0)


def hold(clickhouse: ClickHouse, offset: int) -> None:
    query(
        clickhouse,
        "INSERT INTO lead_velocity (source_topic, source_partition, source_offset)"
        f" SELECT '{LEAD_VELOCITY}', 0, {offset}",
    )


def position(clickhouse: ClickHouse) -> int | None:
    sink = ClickHouseSink(clickhouse)
    held = sink.positions(LEAD_VELOCITY).get(0)
    sink.close()
    return held


def test_an_idle_partition_outlives_its_retention(
    settings: Settings, fresh: ClickHouse, producer: Producer
) -> None:
    """Where all records are held the position goes over the marks of transactions to the end."""
    send(producer, records=3)
    producer.commit_transaction()
    hold(fresh, 2)
    assert position(fresh) == 3
    assert note_positions(settings) == 1
    assert position(fresh) == 4  # the mark is at 3
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap_servers})
    place = TopicPartition(LEAD_VELOCITY, 0, 4)
    begin = admin.delete_records([place])[place].result(30).low_watermark
    assert begin == position(fresh)
    require_same_topics(settings)
    assert note_positions(settings) == 0


def test_records_that_are_not_held_keep_the_position(
    settings: Settings, fresh: ClickHouse, producer: Producer
) -> None:
    """No note goes over a record that is not held yet."""
    send(producer, records=3)
    producer.commit_transaction()
    hold(fresh, 1)
    assert note_positions(settings) == 0
    assert position(fresh) == 2


def test_open_transactions_keep_the_position(
    settings: Settings, fresh: ClickHouse, producer: Producer
) -> None:
    """No note goes over records that may still be committed."""
    send(producer, records=2)
    producer.commit_transaction()
    send(producer, records=5)
    producer.flush()
    hold(fresh, 1)
    assert note_positions(settings) == 1
    assert position(fresh) == 3
    producer.commit_transaction()


def test_lost_records_keep_the_position(
    settings: Settings, fresh: ClickHouse, producer: Producer
) -> None:
    """No note covers up that records were lost to retention."""
    send(producer, records=9)
    producer.commit_transaction()
    hold(fresh, 3)
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap_servers})
    place = TopicPartition(LEAD_VELOCITY, 0, 10)
    admin.delete_records([place])[place].result(30)
    assert note_positions(settings) == 0
    assert position(fresh) == 4


def test_an_older_note_moves_nothing_back(settings: Settings, fresh: ClickHouse) -> None:
    """Notes that come late leave the position where it is."""
    note_position(fresh, LEAD_VELOCITY, 0, 9)
    note_position(fresh, LEAD_VELOCITY, 0, 5)
    query(fresh, "OPTIMIZE TABLE source_positions FINAL")
    assert position(fresh) == 9
