"""From a schema to what writes its records: a tree of value writers, one for each type in it."""

from collections.abc import Mapping
from struct import error as StructError  # noqa: N812  # it is a class
from types import NoneType
from typing import Any, Final, final

from librt.strings import BytesWriter

from schemas import value_writers as writers
from schemas.avro_types import kind, plain
from schemas.value_writers import ValueWriter

Row = tuple[object, ...]
"""A record's values in the order of its schema's fields; records within it are rows too."""

UNFIT = (ValueError, TypeError, KeyError, OverflowError, StructError)
"""What writers raise for a record that does not fit its schema."""

_PYTHON_TYPES: Mapping[str, type] = {
    "array": list,
    "boolean": bool,
    "bytes": bytes,
    "double": float,
    "enum": str,
    "fixed": bytes,
    "float": float,
    "int": int,
    "long": int,
    "map": dict,
    "null": NoneType,
    "record": dict,
    "string": str,
}

_PRIMITIVES: Mapping[str, type[ValueWriter]] = {
    "boolean": writers.BooleanWriter,
    "bytes": writers.BytesValueWriter,
    "double": writers.DoubleWriter,
    "float": writers.FloatWriter,
    "int": writers.IntWriter,
    "long": writers.LongWriter,
    "null": writers.NullWriter,
    "string": writers.StringWriter,
}


@final
class AvroWriter:
    """Writes records of one schema.

    Parameters
    ----------
    schema : mapping
        A record schema of ours, as its parser returns it. Of a union's types, each is another one
        in Python.
    head : bytes
        Stands before each record.
    rows : bool
        Whether records are given as rows; else as dicts that name every field and no other.
    """

    def __init__(self, schema: Mapping[str, Any], head: bytes, *, rows: bool = False) -> None:
        self._head: Final = head
        self._record: Final = _Tree(schema["__named_schemas"], rows=rows).writer(dict(schema))

    def write(self, record: object) -> bytes:
        """Return the head and the bytes of a record.

        Raises
        ------
        One of `UNFIT`
            When it does not fit the schema.
        """
        out = BytesWriter()
        out.write(self._head)
        self._record.write(out, record)
        return out.getvalue()


class _Tree:
    """Makes the writers of a schema's types."""

    def __init__(self, named: Mapping[str, Any], *, rows: bool) -> None:
        self._named = named
        self._rows = rows

    def writer(self, node: Any) -> ValueWriter:
        inner = plain(node, self._named)
        match kind(inner):
            case "record":
                return self._record(inner["fields"])
            case "union":
                return self._union(inner)
            case "array":
                return writers.ArrayWriter(self.writer(inner["items"]))
            case "map":
                return writers.MapWriter(self.writer(inner["values"]))
            case _:
                return _leaf(inner)

    def _record(self, nodes: list[Any]) -> ValueWriter:
        fields = [writers.Field(each["name"], self.writer(each["type"])) for each in nodes]
        return writers.RowWriter(fields) if self._rows else writers.RecordWriter(fields)

    def _union(self, nodes: list[Any]) -> ValueWriter:
        if len(nodes) == 2 and "null" in nodes:  # noqa: PLR2004  # null and another
            place = 1 - nodes.index("null")
            return writers.OptionalWriter(place, self.writer(nodes[place]))
        types = [_PYTHON_TYPES[kind(plain(each, self._named))] for each in nodes]
        assert len({*types}) == len(types), "the types of a union differ in Python"
        branches = [writers.Branch(place, self.writer(each)) for place, each in enumerate(nodes)]
        return writers.UnionWriter(dict(zip(types, branches, strict=True)))


def _leaf(inner: Any) -> ValueWriter:
    match kind(inner):
        case "enum":
            return writers.EnumWriter(inner["symbols"])
        case "fixed":
            return writers.FixedWriter(inner["size"])
        case primitive:
            return _PRIMITIVES[primitive]()
