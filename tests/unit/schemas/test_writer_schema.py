"""Schemas of writers that we do not know."""

import json
from typing import Any

import pytest

from schemas.contracts import contract
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS
from schemas.writer_schema import SchemaLimits, UnsafeSchema, parse


def record(*types: Any, name: str = "R") -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": each} for number, each in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields}


def doubling(levels: int) -> dict[str, Any]:
    """A schema of few characters whose values have two to the power of `levels` parts."""
    pairs = [record(f"R{n - 1}", f"R{n - 1}", name=f"R{n}") for n in range(1, levels)]
    return record(record(name="R0"), *pairs)


def nested(depth: int, node: Any = "long", name: str = "R") -> Any:
    for _ in range(depth):
        node = {"type": "array", "items": node}
    return record(node, name=name)


REFUSED = {
    "no JSON": "{",
    "no schema": "{}",
    "a number": "1",
    "not a record": '"string"',
    "an enum": '{"type": "enum", "name": "E", "symbols": ["A"]}',
    "fields of nothing": '{"type": "record", "name": "R", "fields": [1]}',
    "two fields of one name": json.dumps(
        record() | {"fields": [{"name": "f", "type": "long"}, {"name": "f", "type": "string"}]}
    ),
    "an unknown type": json.dumps(record("Unknown")),
    "a bad fixed": json.dumps(record({"type": "fixed", "name": "F", "size": "x"})),
    "a fixed of less than nothing": json.dumps(record({"type": "fixed", "name": "F", "size": -1})),
    "a fixed of true bytes": json.dumps(record({"type": "fixed", "name": "F", "size": True})),
    "a union of many": json.dumps(
        record([{"type": "fixed", "name": f"F{size}", "size": size} for size in range(65)])
    ),
    "a list of itself": json.dumps(record({"type": "array", "items": "R"})),
    "itself": json.dumps(record("R")),
    "itself or nothing": json.dumps(record(["null", "R"])),
    "itself by another": json.dumps(record(record(["null", "R"], name="S"))),
    "an array of null": json.dumps(record({"type": "array", "items": "null"})),
    "an array of nothing": json.dumps(record({"type": "array", "items": record(name="S")})),
    "an array of no bytes": json.dumps(
        record({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}})
    ),
    "an array of nulls in a record": json.dumps(
        record({"type": "array", "items": record("null", "null", name="S")})
    ),
    "doubled often": json.dumps(doubling(40)),
    "deep": json.dumps(nested(200)),
    "deep by names": json.dumps(record(nested(60, name="S"), nested(60, "S", name="T"))),
    "deeper than JSON": "[" * 100_000,
    "long": json.dumps(record("string")) + " " * (1 << 18),
    "the parser's own keys": json.dumps(
        record({"type": "array", "items": "null"})
        | {"__fastavro_parsed": True, "__named_schemas": {"R": record("string")}}
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    """A text that is no record schema, or whose data could exhaust a reader, is refused."""
    with pytest.raises(UnsafeSchema):
        parse(REFUSED[case])


@pytest.mark.parametrize("topic", INPUT_TOPICS + OUTPUT_TOPICS)
def test_own_contracts(topic: str) -> None:
    """Our own contracts are far from every limit."""
    limits = SchemaLimits(chars_max=10_000, depth_max=20, types_max=100)
    assert parse(contract(topic).text, limits)["name"] == contract(topic).name


def test_named_type_used_twice() -> None:
    """A type that is named once and used again by its name is no recursion."""
    inner = record("string", name="S")
    assert parse(json.dumps(record(inner, "S", {"type": "map", "values": "null"})))
