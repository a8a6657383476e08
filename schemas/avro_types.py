"""Avro types as the schema parser gives them, without their wrappings."""

from collections.abc import Mapping
from typing import Any

PRIMITIVES = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string"))
COMPLEX = frozenset(("record", "enum", "fixed", "array", "map"))


def plain(node: Any, named: Mapping[str, Any]) -> Any:
    """Return a primitive's name, a union's list, or the mapping that defines any other type.

    Parameters
    ----------
    node : str, list or mapping
        A type within a parsed schema.
    named : mapping
        The schema's named types by full name.
    """
    while True:
        if isinstance(node, str):
            if node in PRIMITIVES:
                return node
            node = named[node]
        elif isinstance(node, list) or _is_definition(node["type"]):
            return node
        else:
            node = node["type"]


def kind(plain_node: Any) -> str:
    """Return what a type without wrappings is: a primitive's name, ``union``, ``record``, …."""
    if isinstance(plain_node, str):
        return plain_node
    return "union" if isinstance(plain_node, list) else str(plain_node["type"])


def _is_definition(inner: Any) -> bool:
    return isinstance(inner, str) and inner in COMPLEX
