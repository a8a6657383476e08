"""Decoded records of the output topics, whatever version of a contract they were written with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from leadvelocity.kafka import read_to_end
from leadvelocity.roles import registry_of
from leadvelocity.settings import Settings
from leadvelocity.topics import WRAPPED_BYTES_MAX
from schemas.contracts import contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A record and where it stands."""

    partition: int
    offset: int
    record: dict[str, Any]


class TopicReader:
    """Decodes one output topic, asking the registry for each schema once.

    Parameters
    ----------
    registry : Registry
    topic : str
    """

    def __init__(self, registry: Registry, topic: str) -> None:
        self._registry = registry
        self._writers = WriterSchemas()
        self._decoder = Decoder(contract(topic), self._writers, value_bytes_max=WRAPPED_BYTES_MAX)

    def decode(self, value: bytes | None) -> dict[str, Any]:
        """Decode one value.

        Raises
        ------
        Undecodable
        RegistryUnavailable, UnknownSchema
        """
        for schema_id in self._writers.unknown_ids([value]):
            self._writers.learn(schema_id, self._registry.schema(schema_id))
        return self._decoder.decode(value)


def read_topic(settings: Settings, topic: str) -> Iterator[Decoded]:
    """Read and decode all committed records of an output topic.

    Yields
    ------
    Decoded
        In offset order within a partition.

    Raises
    ------
    CommandFailed
    """
    reader = TopicReader(registry_of(settings), topic)
    for message in read_to_end(settings.kafka.connection(), [topic]):
        yield Decoded(
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            record=reader.decode(message.value()),
        )
