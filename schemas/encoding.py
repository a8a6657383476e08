"""Records to bytes."""

from collections.abc import Mapping
from io import BytesIO

import fastavro

from schemas import framing
from schemas.contracts import Contract
from schemas.writer_schema import without_logical_types


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
        self._head = framing.head(schema_id)
        self._schema = fastavro.parse_schema(without_logical_types(contract.schema))

    def encode(self, record: Mapping[str, object]) -> bytes:
        """Encode `record`; it names every field of the contract, times as epoch milliseconds.

        Raises
        ------
        Unencodable
            When a field is missing, unknown or of a wrong type.
        """
        stream = BytesIO()
        stream.write(self._head)
        try:
            fastavro.schemaless_writer(stream, self._schema, record, strict=True)
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
            raise Unencodable(f"not a {self._name}: {error}") from error
        return stream.getvalue()
