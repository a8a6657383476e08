"""Batches have the bytes that Kafka's clients write and read."""

import pytest
from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.records import Output
from streams.kafka_clients import AiokafkaClients
from streams.record_batch import HEAD_BYTES, RecordBatch, batches_of
from streams.settings import EngineSettings, KafkaConnection
from streams.txn_writer import TxnWriter

AT_MS = 1_764_000_000_123
TOPIC = "t"
SECONDS_MAX = 20.0

BYTES = st.none() | st.binary(max_size=70) | st.integers(60, 9_000).map(bytes)
HEADERS = st.lists(st.tuples(st.text(max_size=70), st.none() | st.binary(max_size=70)), max_size=3)
RECORDS = st.lists(
    st.builds(
        lambda key, value, headers: Output(TOPIC, key, value, tuple(headers)), BYTES, BYTES, HEADERS
    ),
    min_size=1,
    max_size=80,
)


def theirs(records: list[Output]) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 1, 9, 3, 70, 1 << 30)
    for offset, each in enumerate(records):
        builder.append(offset, AT_MS, each.key, each.value, list(each.headers))
    return bytes(builder.build())


def built(batch: RecordBatch) -> bytes:
    batch._set_producer_state(9, 3, 70)
    return batch._build()


@settings(max_examples=200, deadline=None)
@given(records=RECORDS)
def test_bytes(records: list[Output]) -> None:
    """A batch is, byte for byte, what aiokafka's builder makes of the same records."""
    batch = RecordBatch(bytes_max=1 << 30, timestamp_ms=AT_MS)
    assert all(batch.append(each) for each in records)
    assert batch.size() == len(built(batch))
    assert built(batch) == theirs(records)


@settings(max_examples=100, deadline=None)
@given(records=RECORDS, bytes_max=st.integers(HEAD_BYTES, 20_000))
def test_batches(records: list[Output], bytes_max: int) -> None:
    """Batches keep all records in order, and each its bound, but for a single larger record."""
    batches = batches_of(records, lambda: RecordBatch(bytes_max=bytes_max, timestamp_ms=AT_MS))
    place = 0
    for batch in batches:
        count = batch.record_count()
        assert batch.size() <= bytes_max or count == 1
        assert place + count == len(records) or not batch.append(records[place + count])
        found = MemoryRecords(built(batch)).next_batch()
        assert isinstance(found, DefaultRecordBatch)
        assert found.validate_crc()
        assert [each.value for each in found] == [
            each.value for each in records[place : place + count]
        ]
        place += count
    assert place == len(records)


@given(records=RECORDS)
def test_the_bound_is_met(records: list[Output]) -> None:
    """A batch takes what fills it to its very bound, and not a byte more."""
    whole = RecordBatch(bytes_max=1 << 30, timestamp_ms=AT_MS)
    for each in records:
        whole.append(each)
    for spare, fits in ((0, True), (-1, len(records) == 1)):
        batch = RecordBatch(bytes_max=whole.size() + spare, timestamp_ms=AT_MS)
        assert [batch.append(each) for each in records][-1] is fits


def test_a_closed_batch_takes_nothing() -> None:
    """What is on its way to the broker does not change."""
    batch = RecordBatch(bytes_max=1_000, timestamp_ms=AT_MS)
    empty = RecordBatch(bytes_max=1_000, timestamp_ms=AT_MS)
    record = Output(TOPIC, b"k", b"v")
    assert batch.append(record)
    assert not batch.closed()
    built(batch)
    empty.close()
    for each in (batch, empty):
        assert each.closed()
        assert not each.append(record)
    assert (batch.record_count(), empty.record_count()) == (1, 0)


def test_what_a_producer_asks_of_a_batch() -> None:
    """Our batches have all public methods of aiokafka's, and what its sender calls beside."""
    asked = {name for name in vars(BatchBuilder) if not name.startswith("__")}
    assert asked - {"_serialize"} <= set(dir(RecordBatch))


@pytest.mark.integration
async def test_librdkafka_reads_it(stack, run_name) -> None:
    """The broker takes a batch, and librdkafka reads back key, value and headers."""
    connection = KafkaConnection(bootstrap_servers=stack.kafka)
    admin = AdminClient(connection.librdkafka())
    admin.create_topics([NewTopic(run_name, num_partitions=1)])[run_name].result(SECONDS_MAX)
    clients = AiokafkaClients(connection, EngineSettings(app_id=run_name))
    writer = TxnWriter(clients, transactional_id=run_name, group_id=run_name)
    sent = [
        Output(run_name, b"k", b"v" * 300, (("ce_id", b"1"), ("traceparent", b"\xff"))),
        Output(run_name, b"gone", None),
        Output(run_name, None, b""),
    ]
    await writer.start()
    await writer.commit({TopicPartition(run_name, 0): sent}, {})
    await writer.close()

    reader = Consumer({**connection.librdkafka(), "group.id": run_name, "check.crcs": True})
    reader.assign([Place(run_name, 0, 0)])
    found = reader.consume(len(sent), timeout=SECONDS_MAX)
    reader.close()
    admin.delete_topics([run_name])
    assert [(each.key(), each.value(), tuple(each.headers() or ())) for each in found] == [
        (each.key, each.value, each.headers) for each in sent
    ]
