"""Records to bytes."""

from collections.abc import Mapping
from typing import Any

import fastavro

from schemas import framing
from schemas.avro_writer import UNFIT, Row, compile_record_writer, compile_row_writer
from schemas.contracts import Contract

REPEATED = frozenset(
    (
        *("event_type", "from_tier", "half_life_ms", "input_topic", "model", "model_version"),
        *("outcome", "reason", "segment", "signal", "tier", "to_tier", "window"),
    )
)
"""Fields of contracts that have few values."""


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
        self._write_record = compile_record_writer(schema, head, repeated=REPEATED)
        self._write_row = compile_row_writer(schema, head, repeated=REPEATED)

    def encode(self, record: Mapping[str, object]) -> bytes:
        """Encode `record`; it names every field of the contract, times as epoch milliseconds.

        Raises
        ------
        Unencodable
            When a field is missing, unknown or of a wrong type.
        """
        try:
            return self._write_record(record)
        except UNFIT as error:
            raise self._unencodable(error) from error

    def encode_row(self, row: Row) -> bytes:
        """Encode a record that is given as a row, in less time; else as `encode`."""
        try:
            return self._write_row(row)
        except UNFIT as error:
            raise self._unencodable(error) from error

    def _unencodable(self, error: Exception) -> Unencodable:
        return Unencodable(f"not a {self._name}: {type(error).__name__} {error}")
