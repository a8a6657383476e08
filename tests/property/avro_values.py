"""Avro schemas of every kind, and values of them."""

from typing import Any

from hypothesis import strategies as st


def array(items: Any) -> Any:
    return {"type": "array", "items": items}


def mapping(values: Any) -> Any:
    return {"type": "map", "values": values}


def record(types: list[Any]) -> Any:
    fields = [{"name": f"f{number}", "type": each} for number, each in enumerate(types)]
    return {"type": "record", "name": "R", "fields": fields}


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}
FIXED = {"type": "fixed", "name": "F", "size": 3}
TIME = {"type": "long", "logicalType": "timestamp-millis"}
SCALAR = ["null", "boolean", "long", "double", "string"]
LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200)
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]

TYPES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([*PRIMITIVES, ENUM, FIXED, TIME, SCALAR]),
    lambda inner: st.one_of(
        inner.filter(lambda node: node != "null").map(array),
        inner.map(mapping),
        st.lists(inner, min_size=1, max_size=3).map(lambda types: record(["long", *types])),
        inner.filter(lambda node: node != "null" and not isinstance(node, list)).flatmap(
            lambda node: st.sampled_from([["null", node], [node, "null"]])
        ),
    ),
    max_leaves=8,
)


def named_apart(node: Any, names: list[str]) -> Any:
    """Give each named type a name of its own."""
    if isinstance(node, list):
        return [named_apart(each, names) for each in node]
    if isinstance(node, str):
        return node
    node = {
        key: named_apart(value, names) if key in ("items", "values") else value
        for key, value in node.items()
    }
    if "name" in node:
        names.append(f"{node['name']}{len(names)}")
        node["name"] = names[-1]
    if "fields" in node:
        node["fields"] = [
            each | {"type": named_apart(each["type"], names)} for each in node["fields"]
        ]
    return node


def values(node: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911  # a table of types
    if isinstance(node, list):
        return st.one_of([values(each) for each in node])
    match node if isinstance(node, str) else node["type"]:
        case "record":
            return st.fixed_dictionaries(
                {each["name"]: values(each["type"]) for each in node["fields"]}
            )
        case "array":
            return st.lists(values(node["items"]), max_size=3)
        case "map":
            return st.dictionaries(st.text(max_size=5), values(node["values"]), max_size=3)
        case "enum":
            return st.sampled_from(node["symbols"])
        case "fixed":
            return st.binary(min_size=node["size"], max_size=node["size"])
        case "long" if node == TIME:
            return st.integers(1_600_000_000_000, 1_800_000_000_000) | LONGS
        case name:
            return {
                "null": st.none(),
                "boolean": st.booleans(),
                "int": st.integers(-(2**31), 2**31 - 1),
                "long": LONGS,
                "float": st.floats(width=32, allow_nan=False),
                "double": st.floats(allow_nan=False),
                "bytes": st.binary(max_size=70),
                "string": st.text(max_size=70),
            }[name]
