"""What a commit sends, and where."""

from agents.records import Output
from streams.outgoing import by_partition, changelog_records


def test_outputs_go_to_the_task_s_partition_or_where_they_say() -> None:
    """Each output goes to its place, in the order in which it was decided."""
    outputs = [
        Output("scores", b"a", b"1"),
        Output("changes", b"a", b"2"),
        Output("scores", b"b", b"3", partition=7),
        Output("scores", b"c", b"4", partition=3),
        Output("scores", b"b", b"5", partition=7),
    ]
    placed = by_partition(outputs, own=3)
    assert {place: [each.value for each in records] for place, records in placed.items()} == {
        ("scores", 3): [b"1", b"4"],
        ("changes", 3): [b"2"],
        ("scores", 7): [b"3", b"5"],
    }


def test_entries_are_records_of_the_changelog() -> None:
    """An entry becomes a record of its key and value; what was removed, one without a value."""
    records = changelog_records("log", {b"a": b"1", b"b": None})
    assert [(each.topic, each.key, each.value, each.headers) for each in records] == [
        ("log", b"a", b"1", ()),
        ("log", b"b", None, ()),
    ]
