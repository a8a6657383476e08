"""What rows promise."""

import pytest

from schemas.topics import DEAD_LETTERS, OUTPUT_TOPICS
from sinks.port import SinkRejected
from sinks.rows import SOURCE_COLUMNS, block_of, columns_of_topic, table_of

LETTER = {
    "topic": "email-opens",
    "partition": 3,
    "offset": 17,
    "timestamp": 5,
    "key": None,
    "value": b"\xff\x00",
    "headers": [{"name": "n", "value": b"\xfe"}],
    "reason": "undecodable: no",
    "lead_id": None,
    "failed_at": 6,
}


def test_a_row_is_named_by_its_own_record() -> None:
    """Source columns tell where the record itself stands, not the one that it tells of."""
    block = block_of(DEAD_LETTERS, 1, [40, 42], [LETTER, LETTER])
    assert [block.columns[name] for name in SOURCE_COLUMNS] == [
        [DEAD_LETTERS, DEAD_LETTERS],
        [1, 1],
        [40, 42],
    ]
    assert block.columns["offset"] == [17, 17]
    assert (block.partition, block.first_offset, block.last_offset, block.rows) == (1, 40, 42, 2)


def test_bytes_stay_bytes() -> None:
    """What a dead letter held is stored byte by byte."""
    block = block_of(DEAD_LETTERS, 0, [0], [LETTER])
    assert block.columns["value"] == [b"\xff\x00"]
    assert block.columns["headers"] == [[("n", b"\xfe")]]


def test_a_bad_record_is_named() -> None:
    """A record that does not follow its contract is refused with topic, partition and offset."""
    bad = {**LETTER, "reason": None}
    with pytest.raises(SinkRejected, match="dead-letters-2 offset 9, reason") as caught:
        block_of(DEAD_LETTERS, 2, [8, 9], [LETTER, bad])
    assert (caught.value.topic, caught.value.partition, caught.value.offset) == (DEAD_LETTERS, 2, 9)


def test_a_block_can_cover_more_than_its_rows() -> None:
    """A block can say that it covers offsets after its last row."""
    assert block_of(DEAD_LETTERS, 0, [0], [LETTER], last_offset=7).last_offset == 7


def test_contents_are_not_printed() -> None:
    """A block in a log or a traceback shows its place, not the rows of leads."""
    assert "undecodable" not in repr(block_of(DEAD_LETTERS, 0, [0], [LETTER]))


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_no_field_hides_a_source_column(topic: str) -> None:
    """No field of a contract has the name of a source column."""
    assert not {each.name for each in columns_of_topic(topic)} & SOURCE_COLUMNS.keys()


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_tables_are_named_after_topics(topic: str) -> None:
    """A table has its topic's name, with underscores."""
    assert table_of(topic).replace("_", "-") == topic
    assert table_of(topic).isidentifier()
