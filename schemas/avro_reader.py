"""Reads records of an Avro schema: from the schema to what reads it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from struct import Struct
from typing import Any, Final, final

from schemas import framing
from schemas.avro_cursor import Cursor, truncated
from schemas.avro_nodes import (
    Array,
    Boolean,
    Bytes,
    Choice,
    Enum,
    Field,
    Fixed,
    Int,
    Long,
    Map,
    Node,
    Null,
    Optional,
    Real,
    Record,
    Text,
)
from schemas.avro_types import kind, plain

_PRIMITIVES: Final[dict[str, Node]] = {
    "null": Null(),
    "boolean": Boolean(),
    "int": Int(),
    "long": Long(),
    "float": Real(Struct("<f")),
    "double": Real(Struct("<d")),
    "bytes": Bytes(),
    "string": Text(),
}


class Reader(ABC):
    """Reads framed records."""

    __slots__ = ()

    @abstractmethod
    def read(self, value: bytes) -> dict[str, object]:
        """Read a record.

        Raises
        ------
        Undecodable
            When `value`, to its last byte, is not what its writer's schema says.
        """


@final
class RecordReader(Reader):
    """Reads the records of one schema.

    Parameters
    ----------
    schema : mapping
        The writer's record schema as `writer_schema.parse` returns it.
    defaults : mapping
        The fields that records shall have, in their order, and what they hold where `schema` has
        no such field. What else it has is read, and left out.
    """

    __slots__ = ("_blank", "_lacking", "_record")

    def __init__(self, schema: Mapping[str, Any], defaults: Mapping[str, object]) -> None:
        theirs = fields(schema)
        self._record: Final = Record(
            [Field(each.name, each.node, is_kept=each.name in defaults) for each in theirs]
        )
        self._blank: Final = dict(defaults)
        self._lacking: Final = [*defaults.keys() - {each.name for each in theirs}]

    def read(self, value: bytes) -> dict[str, object]:
        """Read a record; see `Reader`."""
        record = self._blank.copy()
        for name in self._lacking:
            record[name] = copy(record[name])
        cursor = Cursor(value, framing.HEAD_BYTES)
        try:
            self._record.read_into(record, cursor)
        except IndexError as error:
            raise truncated("within a number") from error
        cursor.check_end()
        return record


def fields(schema: Mapping[str, Any]) -> list[Field]:
    """Return what reads the fields of a record schema, in the order of the wire.

    Parameters
    ----------
    schema : mapping
        As `writer_schema.parse` returns it.
    """
    return _Nodes(schema["__named_schemas"]).fields(schema)


@final
class _Nodes:
    """Makes nodes of types, one for each named record, however often it is used."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named: Final = named
        self._records: Final[dict[str, Node]] = {}

    def fields(self, record: Mapping[str, Any]) -> list[Field]:
        return [Field(each["name"], self.node(each["type"])) for each in record["fields"]]

    def node(self, some_type: Any) -> Node:  # noqa: PLR0911  # a table of types
        found = plain(some_type, self._named)
        match kind(found):
            case "union":
                return self._union([self.node(each) for each in found])
            case "record":
                return self._record(found)
            case "array":
                return Array(self.node(found["items"]))
            case "map":
                return Map(self.node(found["values"]))
            case "enum":
                return Enum(found["symbols"])
            case "fixed":
                return Fixed(found["size"])
            case primitive:
                return _PRIMITIVES[primitive]

    def _union(self, branches: list[Node]) -> Node:
        match branches:
            case [Null(), other]:
                return Optional(other)
        return Choice(branches)

    def _record(self, record: Mapping[str, Any]) -> Node:
        name = record["name"]
        if name not in self._records:
            self._records[name] = Record(self.fields(record))
        return self._records[name]
