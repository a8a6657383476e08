"""A changelog as workers leave it, written quickly."""

from collections.abc import Sequence
from random import Random

from confluent_kafka import Producer

from agents.lead_scoring import MODEL_KEY
from agents.rerouting import owner_of
from bench.inputs import FLUSH_S_MAX, LOADING, Progress
from leadvelocity.settings import Settings
from scoring.model import Model
from streams.changelog import POSITIONS_KEY, positions_value
from streams.kafka_ledger import changelog_topic

TRANSACTION_RECORDS = 2_000
TOLD_EACH = 500 * TRANSACTION_RECORDS


def fill_changelogs(
    settings: Settings,
    model: Model,
    *,
    leads: int,
    encoded: Sequence[bytes],
    rng: Random,
    progress: Progress,
) -> int:
    """Write a state for each lead to the scoring changelog; return how many records it has.

    Leads are named as in `bench.workload`, and each is in its own partition.
    """
    topic = changelog_topic(settings.engine.app_id, "scoring")
    partitions = settings.topics.partitions
    producer = Producer(
        {**settings.kafka.connection().librdkafka(), **LOADING, "transactional.id": topic}
    )
    producer.init_transactions(FLUSH_S_MAX)
    numbers = list(range(leads))
    rng.shuffle(numbers)
    notes = {POSITIONS_KEY: positions_value({}), MODEL_KEY: model.state_version.encode()}
    for first in range(0, leads, TRANSACTION_RECORDS):
        producer.begin_transaction()
        for number in numbers[first : first + TRANSACTION_RECORDS]:
            lead_id = f"lead-{number:08d}"
            producer.produce(
                topic,
                key=lead_id.encode(),
                value=rng.choice(encoded),
                partition=owner_of(lead_id, partitions),
            )
        for key, value in notes.items():
            for partition in range(partitions):
                producer.produce(topic, key=key, value=value, partition=partition)
        producer.commit_transaction(FLUSH_S_MAX)
        if first % TOLD_EACH == 0:
            progress(f"{first:,} of {leads:,} leads are loaded")
    return leads + len(notes) * partitions * (leads // TRANSACTION_RECORDS)
