"""What a worker is made of, as the transport needs it."""

from collections.abc import Callable
from dataclasses import dataclass

from streams.definition import TaskDefinition
from streams.settings import EngineSettings, KafkaConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything a worker runs on.

    Parameters
    ----------
    clock_ms : callable
        Wall clock, UTC epoch milliseconds.
    """

    connection: KafkaConnection
    settings: EngineSettings
    definitions: tuple[TaskDefinition, ...]
    clock_ms: Callable[[], int]
