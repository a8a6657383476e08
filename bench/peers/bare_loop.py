"""The least that Python can do: consume, decode, fold a dict, produce; no engine at all.

Each batch writes one changelog record for each lead that changed. Offsets are committed after a
flush, so after a crash events count twice: it is a bound for engines, not one of them.
"""

from io import BytesIO
from typing import Any

import msgspec
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from fastavro import parse_schema, schemaless_reader

from bench.peers.fold import TIERS, Lead, new_lead
from bench.peers.job import Job, change_json, read_job

BATCH_RECORDS_MAX = 1_000
COMMIT_EACH = 50_000
HEAD_BYTES = 5

CONSUMING = {
    "enable.auto.commit": False,
    "fetch.wait.max.ms": 10,
    "queued.min.messages": 200_000,
}
PRODUCING = {
    "enable.idempotence": True,
    "linger.ms": 20,
    "batch.size": 262_144,
    "queue.buffering.max.messages": 2_000_000,
}


def main() -> None:
    """Loop until killed."""
    job = read_job()
    consumer = Consumer({"bootstrap.servers": job.kafka, "group.id": job.group, **CONSUMING})
    consumer.assign(
        [TopicPartition(topic, each, 0) for topic in job.topics for each in range(job.partitions)]
    )
    producer = Producer({"bootstrap.servers": job.kafka, **PRODUCING})
    loop = Loop(job, producer)
    consumed = committed = 0
    while True:
        messages = consumer.consume(BATCH_RECORDS_MAX, 0.1)
        loop.fold(messages)
        producer.poll(0)
        consumed += len(messages)
        if consumed >= committed + COMMIT_EACH or (not messages and consumed > committed):
            producer.flush()
            consumer.commit(asynchronous=False)
            committed = consumed


class Loop:
    """The fold of batches."""

    def __init__(self, job: Job, producer: Producer) -> None:
        self._produce = producer.produce
        self._output, self._changelog = job.output, job.changelog
        self._weights = job.weights
        self._schemas: dict[int, Any] = {
            key: parse_schema(schema) for key, schema in job.schemas.items()
        }
        self._leads: dict[str, Lead] = {}
        self._encode = msgspec.msgpack.Encoder().encode

    def fold(self, messages: list[Message]) -> None:
        """Fold a batch, and write what follows from it."""
        leads = self._leads
        changed: dict[str, int] = {}
        for message in messages:
            partition: Any = message.partition()
            value: Any = message.value()
            stream = BytesIO(value)
            stream.seek(HEAD_BYTES)
            schema_id = int.from_bytes(value[1:HEAD_BYTES], "big")
            event: Any = schemaless_reader(stream, self._schemas[schema_id])
            lead_id, at_ms = event["lead_id"], event["occurred_at"]
            lead = leads.get(lead_id)
            if lead is None:
                lead = leads[lead_id] = new_lead(at_ms)
            before = lead.tier
            if lead.fold(event["event_id"], at_ms, self._weights[schema_id]):
                changed[lead_id] = partition
            if lead.tier != before:
                names = TIERS[before], TIERS[lead.tier]
                text = change_json(lead_id, event["event_id"], *names, lead.score)
                self._produce(self._output, text, lead_id, partition)
        for lead_id, partition in changed.items():
            lead = leads[lead_id]
            state = (lead.score, lead.at_ms, lead.tier, tuple(lead.recent_ids))
            self._produce(self._changelog, self._encode(state), lead_id, partition)


if __name__ == "__main__":
    main()
