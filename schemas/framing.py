"""Confluent framing: a zero byte and the writer schema's id stand before the Avro bytes."""

from typing import Final

from librt.strings import read_i32_be

HEAD_BYTES: Final = 5


def head(schema_id: int) -> bytes:
    """Return the bytes that stand before a value written with schema `schema_id`."""
    return b"\0" + schema_id.to_bytes(4, "big")


def schema_id(value: bytes) -> int | None:
    """Return the id of the schema that `value` was written with; None when it is not framed.

    Registries count ids as signed integers of 32 bits, from 0 on.
    """
    if len(value) < HEAD_BYTES or value[0] != 0:
        return None
    number = read_i32_be(value, 1)
    return number if number >= 0 else None
