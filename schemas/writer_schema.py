"""Schemas that others wrote their records with: parsed, and refused where reading could harm."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fastavro
from fastavro.schema import to_parsing_canonical_form

_PRIMITIVES = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))


class UnsafeSchema(ValueError):
    """A schema that is no Avro record schema, or one whose data could exhaust the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaLimits:
    """How large a writer schema may be.

    Parameters
    ----------
    chars_max : int
        Length of its text.
    depth_max : int
        How deep its JSON may nest, and its types by whatever names; readers recurse as deep.
    types_max : int
        Number of types, each counted wherever it is used.
    branches_max : int
        Number of types of one union; readers tell as many by one byte.
    """

    chars_max: int = 1 << 18
    depth_max: int = 100
    types_max: int = 10_000
    branches_max: int = 64


DEFAULT_LIMITS = SchemaLimits()


def parse(text: str, limits: SchemaLimits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Parse a record schema for reading; times stay whole milliseconds.

    Returns
    -------
    dict
        The schema as fastavro takes it, without logical types.

    Raises
    ------
    UnsafeSchema
        When it is no Avro record schema, too large, recursive, or has arrays whose items take no
        bytes.
    """
    if len(text) > limits.chars_max:
        raise UnsafeSchema(f"longer than {limits.chars_max} characters")
    try:
        return _parse(text, limits)
    except (UnsafeSchema, MemoryError):
        raise
    except Exception as error:  # whatever the parser stumbles over, the text is at fault
        raise UnsafeSchema(f"no Avro schema: {type(error).__name__}: {error}") from error


def fingerprint(schema: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a schema's parsing canonical form, in hex (Avro specification)."""
    return hashlib.sha256(to_parsing_canonical_form(dict(schema)).encode()).hexdigest()


def _parse(text: str, limits: SchemaLimits) -> dict[str, Any]:
    plain = without_logical_types(json.loads(text), depth_max=limits.depth_max)
    parsed: Any = fastavro.parse_schema(plain)
    if not isinstance(parsed, dict) or parsed["type"] != "record":
        raise UnsafeSchema("not a record")
    named = parsed["__named_schemas"]
    _Measurer(named, limits).measure(parsed["name"])
    return parsed


def without_logical_types(node: Any, *, depth_max: int = DEFAULT_LIMITS.depth_max) -> Any:
    """Return a schema's JSON without logical types, so that times are whole milliseconds.

    Raises
    ------
    UnsafeSchema
        When it nests deeper than `depth_max`, or uses keys that the parser trusts as its own.
    """
    if depth_max == 0:
        raise UnsafeSchema("nested too deep")
    if isinstance(node, list):
        return [without_logical_types(each, depth_max=depth_max - 1) for each in node]
    if not isinstance(node, dict):
        return node
    if any(key.startswith("__") for key in node):
        raise UnsafeSchema("keys that begin with two underscores are the parser's own")
    return {
        key: without_logical_types(value, depth_max=depth_max - 1)
        for key, value in node.items()
        if key != "logicalType"
    }


@dataclass(frozen=True, slots=True)
class _Measure:
    types: int
    depth: int
    empty: bool
    """Takes no bytes: a reader could be told to read any number of them."""


class _Measurer:
    """Walks the types of a schema; each named type once, so that no schema makes it slow."""

    def __init__(self, named: Mapping[str, Any], limits: SchemaLimits) -> None:
        self._named = named
        self._limits = limits
        self._begun: set[str] = set()
        self._done: dict[str, _Measure] = {}

    def measure(self, node: Any) -> _Measure:
        if isinstance(node, str):
            return (
                _Measure(1, 1, node == "null") if node in _PRIMITIVES else self._measure_named(node)
            )
        if isinstance(node, list):
            return self._measure_union(node)
        kind = node["type"]
        if kind == "record":
            return self._measure_named(node["name"])
        if kind in ("array", "map"):
            return self._measure_repeated(node)
        if kind in ("enum", "fixed"):
            return self._measure_leaf(node)
        return self.measure(kind)

    def _measure_named(self, name: str) -> _Measure:
        if name in self._done:
            return self._done[name]
        if name in self._begun:
            raise UnsafeSchema(f"{name} contains itself")
        node = self._named[name]
        if node["type"] != "record":
            return self.measure(node)
        self._begun.add(name)
        if len({each["name"] for each in node["fields"]}) < len(node["fields"]):
            raise UnsafeSchema(f"{name} has two fields of one name")
        fields = [self.measure(each["type"]) for each in node["fields"]]
        self._done[name] = self._sum(fields, empty=all(each.empty for each in fields))
        return self._done[name]

    def _measure_union(self, branches: list[Any]) -> _Measure:
        if len(branches) > self._limits.branches_max:
            raise UnsafeSchema(f"a union of more than {self._limits.branches_max} types")
        return self._sum([self.measure(each) for each in branches], empty=False)

    def _measure_leaf(self, node: Any) -> _Measure:
        size = node["size"] if node["type"] == "fixed" else 1
        if type(size) is not int or size < 0:
            raise UnsafeSchema(f"a fixed of {size!r} bytes")
        return _Measure(1, 1, size == 0)

    def _measure_repeated(self, node: Any) -> _Measure:
        if node["type"] == "map":  # its keys take a byte at least
            return self._sum([self.measure(node["values"])], empty=False)
        items = self.measure(node["items"])
        if items.empty:
            raise UnsafeSchema("an array whose items take no bytes")
        return self._sum([items], empty=False)

    def _sum(self, parts: list[_Measure], *, empty: bool) -> _Measure:
        types = 1 + sum(each.types for each in parts)
        if types > self._limits.types_max:
            raise UnsafeSchema(f"more than {self._limits.types_max} types")
        depth = 1 + max((each.depth for each in parts), default=0)
        if depth > self._limits.depth_max:
            raise UnsafeSchema(f"types nested more than {self._limits.depth_max} deep")
        return _Measure(types, depth, empty)
