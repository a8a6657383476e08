"""The three parts of the stack in a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from leadvelocity.stack.clickhouse_front import ClickHouseFront
from leadvelocity.stack.endpoints import Endpoints
from leadvelocity.stack.kafka import Kafka
from leadvelocity.stack.part import Part
from leadvelocity.stack.record import StackRecord
from leadvelocity.stack.registry import Registry


@dataclass(frozen=True, slots=True)
class Parts:
    """Kafka, the registry and ClickHouse."""

    kafka: Kafka
    registry: Registry
    clickhouse: ClickHouseFront

    @classmethod
    def of(cls, record: StackRecord, *, directory: Path, cache: Path | None) -> Self:
        """Return them with the ports and secrets of `record`."""
        return cls(
            Kafka(
                directory=directory,
                cache=cache,
                port=record.ports["kafka"],
                controller_port=record.ports["kafka_controller"],
                cluster_id=record.kafka_cluster_id,
            ),
            Registry(
                directory=directory,
                cache=cache,
                port=record.ports["registry"],
                management_port=record.ports["registry_management"],
            ),
            ClickHouseFront(
                directory=directory,
                port=record.ports["clickhouse"],
                http_port=record.ports["clickhouse_http"],
                password=record.clickhouse_password,
            ),
        )

    def __iter__(self) -> Iterator[Part]:
        return iter((self.kafka, self.registry, self.clickhouse))

    @property
    def endpoints(self) -> Endpoints:
        """Where clients find them."""
        return Endpoints(
            kafka=self.kafka.address,
            registry=self.registry.url,
            clickhouse=self.clickhouse.endpoint,
        )
