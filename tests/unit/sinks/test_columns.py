"""What columns promise."""

from typing import Any

import pytest

from schemas.contracts import contract
from schemas.topics import OUTPUT_TOPICS
from sinks.columns import TIME_MAX_MS, TIME_MIN_MS, Column, UnfitValue, columns_of
from sinks.texts import text_of

TIME = {"type": "long", "logicalType": "timestamp-millis"}
SCALARS = ["null", "boolean", "long", "double", "string"]


def column(avro: Any) -> Column:
    (only,) = columns_of({"fields": [{"name": "it", "type": avro}]})
    return only


def records(**fields: Any) -> dict[str, Any]:
    of = [{"name": name, "type": avro} for name, avro in fields.items()]
    return {"type": "array", "items": {"type": "record", "name": "R", "fields": of}}


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_every_output_has_columns(topic: str) -> None:
    """Every field of every output topic becomes a column of its name."""
    columns = columns_of(contract(topic).schema)
    assert tuple(each.name for each in columns) == contract(topic).field_names


@pytest.mark.parametrize(
    ("avro", "type_"),
    [
        ("string", "String"),
        ("bytes", "String"),
        ("boolean", "Bool"),
        ("int", "Int32"),
        ("long", "Int64"),
        ("double", "Float64"),
        (TIME, "DateTime64(3, 'UTC')"),
        (["null", "string"], "Nullable(String)"),
        (["null", TIME], "Nullable(DateTime64(3, 'UTC'))"),
        ({"type": "map", "values": SCALARS}, "Map(String, Nullable(String))"),
        (
            records(name="string", at=TIME, inner=records(index="int")),
            "Array(Tuple(name String, at DateTime64(3, 'UTC'), inner Array(Tuple(index Int32))))",
        ),
    ],
)
def test_types_follow_the_contract(avro: Any, type_: str) -> None:
    """A column's type is the one that holds every value of its Avro type."""
    assert column(avro).type == type_


@pytest.mark.parametrize("avro", ["float", {"type": "fixed", "size": 4}, ["string", "long"]])
def test_unknown_types_are_refused(avro: Any) -> None:
    """A field without a column type is told when the columns are made, not when rows come."""
    with pytest.raises(ValueError, match="'it'"):
        column(avro)


def test_times_beyond_the_store_are_stored_as_its_bounds() -> None:
    """A time that DateTime64 cannot hold becomes the nearest that it can, and null stays null."""
    times = [None, -(1 << 53), TIME_MIN_MS, 0, TIME_MAX_MS, TIME_MAX_MS + 1, (1 << 53) - 1]
    held = column(["null", TIME]).convert(times)
    assert held == [None, TIME_MIN_MS, TIME_MIN_MS, 0, TIME_MAX_MS, TIME_MAX_MS, TIME_MAX_MS]


def test_times_inside_arrays_are_bounded_too() -> None:
    """Times inside of arrays follow the same rule."""
    values = [[], [{"ref": 1 << 53}, {"ref": 5}]]
    assert column(records(ref=TIME)).convert(values) == [[], [(TIME_MAX_MS,), (5,)]]


def test_scalars_become_text() -> None:
    """Map values are text: strings as they are, others as JSON writes them, null stays null."""
    values = [{"a": "x", "b": 1, "c": 1.5, "d": True, "e": False, "f": None, "g": "null"}]
    (held,) = column({"type": "map", "values": SCALARS}).convert(values)
    assert held == {
        "a": "x", "b": "1", "c": "1.5", "d": "true", "e": "false", "f": None, "g": "null",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"), [(1e300, "1e+300"), (-0.5, "-0.5"), (10**18, f"{10**18}")]
)
def test_numbers_lose_nothing_as_text(value: Any, text: str) -> None:
    """A number's text reads back as the same number."""
    assert text_of(value) == text
    assert float(text) == value


@pytest.mark.parametrize(
    ("avro", "values", "row"),
    [
        ("string", ["a", None, "b"], 1),
        ("string", ["a", "b", b"c"], 2),
        ("long", [1, True], 1),
        ("int", [0, 1 << 31], 1),
        ("int", [-(1 << 31) - 1], 0),
        ("long", [0, 0, 1 << 63], 2),
        (["null", "long"], [None, 1 << 63], 1),
        ("double", [1.0, "1"], 1),
        (TIME, [0, 1.5], 1),
        (records(index="int"), [[], [{"index": 1}, {"index": 2}], [], [{"index": "x"}]], 3),
        (records(index="int"), [[], [{"index": 1}, {"index": 1 << 40}], []], 1),
        (records(index="int"), [[], None], 1),
        ({"type": "map", "values": SCALARS}, [{}, []], 1),
    ],
)
def test_a_value_that_does_not_fit_names_its_row(avro: Any, values: list[Any], row: int) -> None:
    """A value that its column cannot hold is refused before anything is sent, with its row."""
    with pytest.raises(UnfitValue) as caught:
        column(avro).convert(values)
    assert caught.value.row == row
