"""From a schema to what reads its records: a tree of value readers, one for each type in it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from typing import Any, Final, final

from schemas import framing
from schemas import value_readers as readers
from schemas.avro_cursor import Cursor, truncated
from schemas.avro_types import kind, plain
from schemas.value_readers import Field, RecordReader, ValueReader

_PRIMITIVES: Final[Mapping[str, ValueReader]] = {
    "boolean": readers.BooleanReader(),
    "bytes": readers.BytesReader(),
    "double": readers.DoubleReader(),
    "float": readers.FloatReader(),
    "int": readers.IntReader(),
    "long": readers.LongReader(),
    "null": readers.NullReader(),
    "string": readers.StringReader(),
}


class Reader(ABC):
    """Reads framed records of one schema."""

    @abstractmethod
    def read(self, value: bytes) -> dict[str, object]:
        """Read a record.

        Raises
        ------
        Undecodable
            When `value`, to its last byte, is not what its writer's schema says.
        """


@final
class AvroReader(Reader):
    """Reads records as their schema has them.

    Parameters
    ----------
    schema : mapping
        The writer's record schema as `writer_schema.parse` returns it.
    defaults : mapping
        The fields that records shall have, in their order, and what they hold where `schema` has
        no such field. What else it has is skipped.
    """

    def __init__(self, schema: Mapping[str, Any], defaults: Mapping[str, object]) -> None:
        theirs = fields(schema)
        self._record: Final = RecordReader(
            [Field(each.name, each.reader, is_kept=each.name in defaults) for each in theirs]
        )
        self._blank: Final = dict(defaults)
        self._lacking: Final = [*defaults.keys() - {each.name for each in theirs}]

    def read(self, value: bytes) -> dict[str, object]:
        """See `Reader.read`."""
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
    """Return the fields of a record schema, in the order of the wire.

    Parameters
    ----------
    schema : mapping
        As `writer_schema.parse` returns it.
    """
    return _Tree(schema["__named_schemas"]).fields(schema)


@final
class _Tree:
    """Makes the readers of a schema's types; a record has one, however often it is used."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named: Final = named
        self._records: Final[dict[str, ValueReader]] = {}

    def fields(self, record: Mapping[str, Any]) -> list[Field]:
        return [Field(each["name"], self.reader(each["type"])) for each in record["fields"]]

    def reader(self, node: Any) -> ValueReader:
        inner = plain(node, self._named)
        match kind(inner):
            case "record":
                return self._record(inner)
            case "union":
                return self._union([self.reader(each) for each in inner])
            case "array":
                return readers.ArrayReader(self.reader(inner["items"]))
            case "map":
                return readers.MapReader(self.reader(inner["values"]))
            case _:
                return _leaf(inner)

    def _record(self, record: Mapping[str, Any]) -> ValueReader:
        name = record["name"]
        if name not in self._records:
            self._records[name] = RecordReader(self.fields(record))
        return self._records[name]

    def _union(self, branches: list[ValueReader]) -> ValueReader:
        match branches:
            case [readers.NullReader(), other]:
                return readers.OptionalReader(1, other)
            case [other, readers.NullReader()]:
                return readers.OptionalReader(0, other)
            case _:
                return readers.UnionReader(branches)


def _leaf(inner: Any) -> ValueReader:
    match kind(inner):
        case "enum":
            return readers.EnumReader(inner["symbols"])
        case "fixed":
            return readers.FixedReader(inner["size"])
        case primitive:
            return _PRIMITIVES[primitive]
