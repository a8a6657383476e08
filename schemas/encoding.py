"""Records to bytes."""

from collections.abc import Mapping
from typing import Any

import fastavro

from schemas import framing
from schemas.avro_writer import UNFIT, AvroWriter, Row
from schemas.contracts import Contract


class Unencodable(ValueError):
    """A record that does not fit its contract."""


class Encoder:
    """Writes records of one contract, framed with the id that the registry gave it.

    Parameters
    ----------
    schema_id : int
        What the registry calls `contract`.
    """

    def __init__(self, contract: Contract, schema_id: int) -> None:
        self._name = contract.name
        schema: Any = fastavro.parse_schema(dict(contract.schema))
        head = framing.head(schema_id)
        self._records = AvroWriter(schema, head)
        self._rows = AvroWriter(schema, head, rows=True)

    def encode(self, record: Mapping[str, object]) -> bytes:
        """Encode `record`; it names every field of the contract, times as epoch milliseconds.

        Raises
        ------
        Unencodable
            When a field is missing, unknown or of a wrong type.
        """
        try:
            return self._records.write(record)
        except UNFIT as error:
            raise self._unencodable(error) from error

    def encode_row(self, row: Row) -> bytes:
        """Encode a record that is given as a row, in less time; else as `encode`."""
        try:
            return self._rows.write(row)
        except UNFIT as error:
            raise self._unencodable(error) from error

    def _unencodable(self, error: Exception) -> Unencodable:
        return Unencodable(f"not a {self._name}: {type(error).__name__} {error}")
