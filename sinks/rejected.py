"""Records that are no rows of their tables, as rows of `rejected_rows`."""

import json
from base64 import b64encode
from collections.abc import Mapping

from sinks.port import Block, RejectedRow
from sinks.rows import SOURCE_COLUMNS


def text_of_record(record: Mapping[str, object]) -> str:
    """Return a record as JSON in ASCII; bytes in it as base64."""
    return json.dumps(record, default=_text_of_bytes)


def text_of_bytes(value: bytes | None) -> str:
    """Return the bytes of a record that could not be read, as JSON; null for no value at all."""
    return json.dumps({"value_base64": None if value is None else _text_of_bytes(value)})


def rejected_row(block: Block, reason: str) -> RejectedRow:
    """Return the only row of a block as a rejected one.

    Parameters
    ----------
    block : Block
        Of one row.
    reason : str
    """
    assert block.rows == 1, "one row is rejected at a time"
    content = {
        name: values[0] for name, values in block.columns.items() if name not in SOURCE_COLUMNS
    }
    offset = block.columns["source_offset"][0]
    assert isinstance(offset, int), "offsets are whole numbers"
    return RejectedRow(
        topic=block.topic,
        partition=block.partition,
        offset=offset,
        reason=reason,
        record=text_of_record(content),
    )


def _text_of_bytes(value: object) -> str:
    return b64encode(value).decode() if isinstance(value, bytes) else repr(value)
