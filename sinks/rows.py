"""Records of an output topic as rows of its table."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter

from schemas.contracts import contract
from schemas.topics import SCORED_EVENTS
from sinks.columns import Column, UnfitValue, columns_of, misread_texts
from sinks.port import Block, SinkRejected

SOURCE_COLUMNS = {
    "source_topic": "String",
    "source_partition": "Int32",
    "source_offset": "Int64",
}
"""Where a row's record stands; together they name the row. Name and type."""

_ANSWERS = (SCORED_EVENTS, "profile")
"""Where form answers are: their types are the sender's, not the contract's."""


def table_of(topic: str) -> str:
    """Return the table that holds a topic."""
    return topic.replace("-", "_")


@cache
def columns_of_topic(topic: str) -> tuple[Column, ...]:
    """Return the columns of an output topic's table, less the source columns.

    Raises
    ------
    LookupError
        When the topic has no contract.
    """
    columns = columns_of(contract(topic).schema)
    return tuple(chain.from_iterable((each, *_beside(topic, each.name)) for each in columns))


def _beside(topic: str, field_name: str) -> tuple[Column, ...]:
    """Return the columns that a field has besides its own: its map holds texts only."""
    return (misread_texts(field_name),) if (topic, field_name) == _ANSWERS else ()


def block_of(
    topic: str,
    partition: int,
    offsets: Sequence[int],
    records: Sequence[Mapping[str, object]],
    *,
    last_offset: int | None = None,
) -> Block:
    """Make a block of decoded records.

    Parameters
    ----------
    topic : str
    partition : int
    offsets : sequence of int
        Of each record, rising; at least one.
    records : sequence of mapping
        As the decoder gives them: times in milliseconds.
    last_offset : int or None
        How far the block covers the partition; None: to the last of `offsets`.

    Returns
    -------
    Block

    Raises
    ------
    SinkRejected
        A value does not fit its column; names the record.
    """
    columns: dict[str, Sequence[object]] = {}
    for column in columns_of_topic(topic):
        values = list(map(itemgetter(column.field_name or column.name), records))
        try:
            columns[column.name] = column.convert(values)
        except UnfitValue as error:
            offset = offsets[error.row]
            raise SinkRejected(
                f"{topic}-{partition} offset {offset}, {column.name}: {error}; the record does"
                f" not follow its contract: find out who wrote it",
                topic=topic,
                partition=partition,
                offset=offset,
            ) from None
    columns["source_topic"] = [topic] * len(records)
    columns["source_partition"] = [partition] * len(records)
    columns["source_offset"] = list(offsets)
    return Block(
        topic=topic,
        partition=partition,
        first_offset=offsets[0],
        last_offset=offsets[-1] if last_offset is None else last_offset,
        columns=columns,
    )
