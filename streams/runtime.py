"""What a worker is made of, as the transport needs it."""

from collections.abc import Callable
from dataclasses import dataclass

from streams.definition import TaskDefinition
from streams.kafka_clients import KafkaClients
from streams.settings import EngineSettings
from streams.state_store import StateStores


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything a worker runs on.

    Parameters
    ----------
    brokers : str
        Where Kafka is, for messages.
    clock_ms : callable
        Wall clock, UTC epoch milliseconds.
    terms : str
        What all workers of the group must have in common.
    """

    brokers: str
    clients: KafkaClients
    stores: StateStores
    settings: EngineSettings
    definitions: tuple[TaskDefinition, ...]
    clock_ms: Callable[[], int]
    terms: str = ""
