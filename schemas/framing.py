"""Confluent framing: a zero byte and the writer schema's id stand before the Avro bytes."""

from typing import Final

HEAD_BYTES: Final = 5
SCHEMA_ID_MAX: Final = 2**31 - 1
"""Registries count ids as signed 32-bit integers."""


def head(schema_id: int) -> bytes:
    """Return the bytes that stand before a value written with schema `schema_id`."""
    return b"\0" + schema_id.to_bytes(4, "big")


def schema_id(value: bytes) -> int | None:
    """Return the id of the schema that `value` was written with; None when it is not framed."""
    if len(value) < HEAD_BYTES or value[0] != 0:
        return None
    number = int.from_bytes(value[1:HEAD_BYTES], "big")
    return number if number <= SCHEMA_ID_MAX else None
