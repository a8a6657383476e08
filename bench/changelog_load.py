"""A changelog as workers leave it, written quickly."""

from collections.abc import Sequence
from random import Random

from confluent_kafka import Producer

from bench.inputs import FLUSH_S_MAX, LOADING
from leadvelocity.settings import Settings
from streams.changelog import POSITIONS_KEY, positions_value

TRANSACTION_RECORDS = 2_000


def fill_changelog(
    settings: Settings, topic: str, *, leads: int, encoded: Sequence[bytes], rng: Random
) -> int:
    """Write a state for each lead to partition 0, in transactions; return how many records."""
    producer = Producer(
        {
            **settings.kafka.connection().librdkafka(),
            **LOADING,
            "transactional.id": f"bench-{topic}",
        }
    )
    producer.init_transactions(FLUSH_S_MAX)
    numbers = list(range(leads))
    rng.shuffle(numbers)
    records = 0
    for first in range(0, leads, TRANSACTION_RECORDS):
        producer.begin_transaction()
        for number in numbers[first : first + TRANSACTION_RECORDS]:
            key = b"lead-%08d" % number
            producer.produce(topic, key=key, value=rng.choice(encoded), partition=0)
        producer.produce(topic, key=POSITIONS_KEY, value=positions_value({}), partition=0)
        producer.commit_transaction(FLUSH_S_MAX)
        records += len(numbers[first : first + TRANSACTION_RECORDS]) + 1
    return records
