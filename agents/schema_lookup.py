"""Looks up the schemas that records were written with, as they come."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from agents.records import Record
from schemas.decoding import WriterSchemas
from schemas.registry import RegistryUnavailable, UnknownSchema

logger = logging.getLogger(__name__)

REGISTRY_RETRY_S = 1.0


class SchemaSource(Protocol):
    """Where writers' schemas are looked up by id."""

    def schema(self, schema_id: int) -> str:
        """Return the schema's text; blocking."""
        ...


class SchemaLookup:
    """Teaches decoders the schemas of records before they are read.

    Parameters
    ----------
    writers : WriterSchemas
        Shared with the decoders.
    registry : SchemaSource
    """

    def __init__(self, writers: WriterSchemas, registry: SchemaSource) -> None:
        self._writers = writers
        self._registry = registry

    async def prepare(self, records: Sequence[Record]) -> None:
        """Look up the schemas of `records`; waits while the registry is away."""
        for schema_id in sorted(self._writers.unknown_ids(record.value for record in records)):
            await self._learn(schema_id)

    async def _learn(self, schema_id: int) -> None:
        while True:
            try:
                text = await asyncio.to_thread(self._registry.schema, schema_id)
            except UnknownSchema as error:
                return self._writers.refuse(schema_id, str(error))
            except RegistryUnavailable as error:
                logger.warning("schema %d: the registry is away: %s", schema_id, error)
                await asyncio.sleep(REGISTRY_RETRY_S)
            else:
                return self._writers.learn(schema_id, text)
