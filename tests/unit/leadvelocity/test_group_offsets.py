"""A broker that has just begun does not yet know who coordinates a group."""

from collections.abc import Sequence

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from leadvelocity import kafka
from leadvelocity.kafka import committed_offsets

PLACES = [TopicPartition("in", 0), TopicPartition("in", 1)]
NOTHING = -1001
"""What the client gives for a partition that the group has committed nothing of."""


class AtStart(Consumer):
    """A consumer whose broker refuses some questions first."""

    def __init__(self, *refusals: int) -> None:
        super().__init__({"group.id": "app"})
        self.refusals = list(refusals)

    def committed(self, partitions: Sequence[TopicPartition], timeout: float = -1) -> list:
        if self.refusals:
            raise KafkaException(KafkaError(self.refusals.pop(0)))
        return [TopicPartition("in", 0, 7), TopicPartition("in", 1, NOTHING)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(kafka, "ASK_AGAIN_S", 0.0)


def test_a_broker_that_has_just_begun_is_asked_again():
    """Offsets are asked for again until the group has a coordinator."""
    consumer = AtStart(
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    )

    assert committed_offsets(consumer, PLACES) == {("in", 0): 7}


def test_it_is_not_asked_for_ever(monkeypatch):
    """A broker that never finds a coordinator is an error in the end."""
    monkeypatch.setattr(kafka, "ANSWER_S_MAX", -1.0)

    with pytest.raises(KafkaException):
        committed_offsets(AtStart(KafkaError.NOT_COORDINATOR), PLACES)


def test_other_refusals_are_told_at_once():
    """What waiting does not cure is an error with the first answer."""
    consumer = AtStart(KafkaError.GROUP_AUTHORIZATION_FAILED)

    with pytest.raises(KafkaException, match=r"GROUP_AUTHORIZATION_FAILED|authorization"):
        committed_offsets(consumer, PLACES)
