r"""Generates Python that writes records of an Avro schema.

For a text, an optional text of which there are few, a time, two doubles and a list of texts, it
writes::

    def write(r):
        if len(r) != 6: raise other_names(r, ('lead_id', 'tier', …))
        x1 = r['lead_id']
        x2 = r['tier']
        …
        b7 = x1.encode()
        q = [
            VALUE1, LENGTHS[len(b7)], b7, VALUE8[x2],
            PAIRS[x3 << 1 & 16383] + PAIRS[x3 >> 13 & 16383] + ENDS[x3 >> 27]
            if 0 < x3 >> 27 < 16384 else long_bytes(x3),
            VALUE9(x4, x5)
        ]
        n = len(x6)
        if n:
            q += (LENGTHS[n],)
            for i10 in x6:
                b11 = i10.encode()
                q += (LENGTHS[len(b11)], b11)
        q += (b'\x00',)
        return join(q)

For rows, it begins with ``(x1, x2, …) = r``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from struct import Struct
from struct import error as StructError  # noqa: N812  # it is a class
from types import NoneType
from typing import Any

from schemas import avro_parts
from schemas.avro_parts import Known, long_bytes, optional_bytes, text_bytes
from schemas.avro_types import kind, plain
from schemas.source_text import SourceText

Row = tuple[object, ...]
"""A record's values in the order of its schema's fields; records within it are rows too."""

RecordWriter = Callable[[Mapping[str, object]], bytes]
RowWriter = Callable[[Row], bytes]

UNFIT = (ValueError, TypeError, KeyError, OverflowError, AttributeError, StructError)
"""What generated writers raise for a record that does not fit its schema."""

_NAMES: dict[str, object] = {
    name: getattr(avro_parts, name)
    for name in (
        "BOOLEANS",
        "ENDS",
        "PAIRS",
        "double_bytes",
        "fixed_bytes",
        "float_bytes",
        "int_bytes",
        "long_bytes",
        "no_branch",
        "other_names",
    )
} | {"LENGTHS": Known(long_bytes), "NoneType": NoneType, "join": b"".join}

_TIME = (  # in one expression, as six bytes hold the times from July 1970 to September 2039
    "(PAIRS[{0} << 1 & 16383] + PAIRS[{0} >> 13 & 16383] + ENDS[{0} >> 27] "
    "if 0 < {0} >> 27 < 16384 else long_bytes({0}))"
)
_EXPRESSIONS = {
    "boolean": "BOOLEANS[{0}]",
    "double": "double_bytes({0})",
    "float": "float_bytes({0})",
    "int": "int_bytes({0})",
    "long": "long_bytes({0})",
}
_REMEMBERED: dict[str, Callable[[Any], bytes]] = {"long": long_bytes, "string": text_bytes}
_STRUCT_CODES = {"double": "d", "float": "f"}
_PYTHON_TYPES = {
    "array": "list",
    "boolean": "bool",
    "bytes": "bytes",
    "double": "float",
    "enum": "str",
    "fixed": "bytes",
    "float": "float",
    "int": "int",
    "long": "int",
    "map": "dict",
    "null": "NoneType",
    "record": "dict",
    "string": "str",
}


def compile_record_writer(
    schema: Mapping[str, Any], head: bytes, *, repeated: Collection[str] = ()
) -> RecordWriter:
    """Return a function that writes records, each after `head`.

    It takes mappings that name every field of `schema` and no other, and raises what is in `UNFIT`.

    Parameters
    ----------
    schema : mapping
        A record schema of ours, as its parser returns it. Of a union's types, each is another one
        in Python.
    repeated : collection of str
        Names of fields whose values are few texts or longs: their bytes are remembered.
    """
    writer: RecordWriter = _compiled(_RecordSource, schema, head, repeated)
    return writer


def compile_row_writer(
    schema: Mapping[str, Any], head: bytes, *, repeated: Collection[str] = ()
) -> RowWriter:
    """Return a function that writes rows, and is else as those of `compile_record_writer`."""
    writer: RowWriter = _compiled(_RowSource, schema, head, repeated)
    return writer


def _compiled(
    source_type: type["_WriterSource"],
    schema: Mapping[str, Any],
    head: bytes,
    repeated: Collection[str],
) -> Any:
    source = source_type(schema["__named_schemas"], frozenset(repeated))
    with source.text.block("def write(r):"):
        source.record(head, schema["fields"])
    return source.text.compiled("write", _NAMES)


@dataclass(frozen=True, slots=True)
class _Number:
    """A float or a double; neighbours are written together."""

    code: str
    place: str


class _WriterSource(ABC):
    """Source that joins parts; in the list ``q``, where statements stand between them."""

    def __init__(self, named: Mapping[str, Any], repeated: frozenset[str]) -> None:
        self.text = SourceText()
        self._named = named
        self._repeated = repeated
        self._parts: list[bytes | str | _Number] = []
        self._has_list = False

    def record(self, head: bytes, fields: list[Any]) -> None:
        """Write the record ``r``, and return it all."""
        self._parts.append(head)
        self._fields("r", fields)
        if self._has_list:
            self._flush()
            self.text.line("return join(q)")
        else:
            self.text.line(f"return join(({', '.join(self._taken())},))")

    def _fields(self, place: str, fields: list[Any]) -> None:
        places = {each["name"]: self.text.fresh("x") for each in fields}
        self.take_apart(place, places)
        for each in fields:
            self._value(each["type"], places[each["name"]], each["name"] in self._repeated)

    @abstractmethod
    def take_apart(self, place: str, places: Mapping[str, str]) -> None:
        """Assign the fields of a record to their places."""

    def _value(self, node: Any, place: str, is_repeated: bool = False) -> None:
        """Add the parts of a value."""
        inner = plain(node, self._named)
        expression = self._expression(node, place, is_repeated)
        match kind(inner):
            case "double" | "float" as number:
                self._parts.append(_Number(_STRUCT_CODES[number], place))
            case _ if expression:
                self._parts.append(expression)
            case "string":
                self._string(place)
            case "bytes":
                self._parts += [f"LENGTHS[len({place})]", place]
            case "record":
                self._fields(place, inner["fields"])
            case "union":
                self._union(inner, place)
            case "array" | "map":
                self._items(inner, place)

    def _expression(self, node: Any, place: str, is_repeated: bool) -> str | None:
        """Return what gives the bytes of a value, if a single expression does."""
        if isinstance(node, Mapping) and node.get("logicalType") == "timestamp-millis":
            return _TIME.format(place)
        node = plain(node, self._named)
        match kind(node):
            case "long" | "string" as remembered if is_repeated:
                return f"{self.text.value(Known(_REMEMBERED[remembered]))}[{place}]"
            case "enum":
                symbols = {each: long_bytes(index) for index, each in enumerate(node["symbols"])}
                return f"{self.text.value(symbols)}[{place}]"
            case "fixed":
                return f"fixed_bytes({place}, {node['size']:d})"
            case "union" if _is_optional(node):
                return self._optional(node, place, is_repeated)
            case other:
                expression = _EXPRESSIONS.get(other)
                return expression and expression.format(place)

    def _optional(self, branches: list[Any], place: str, is_repeated: bool) -> str | None:
        index = 1 - branches.index("null")
        node = branches[index]
        encode = _REMEMBERED.get(kind(plain(node, self._named)))
        if is_repeated and encode:
            return f"{self.text.value(Known(optional_bytes(index, encode)))}[{place}]"
        expression = self._expression(node, place, is_repeated=False)
        null, other = long_bytes(1 - index), long_bytes(index)
        return expression and f"({null!r} if {place} is None else {other!r} + {expression})"

    def _string(self, place: str) -> None:
        data = self.text.fresh("b")
        self.text.line(f"{data} = {place}.encode()")
        self._parts += [f"LENGTHS[len({data})]", data]

    def _union(self, branches: list[Any], place: str) -> None:
        self._flush()
        if _is_optional(branches):
            index = branches.index("null")
            with self.text.block(f"if {place} is None:"):
                self._branch(index, "null", place)
            with self.text.block("else:"):
                self._branch(1 - index, branches[1 - index], place)
        else:
            self._union_by_type(branches, place)

    def _union_by_type(self, branches: list[Any], place: str) -> None:
        types = [_PYTHON_TYPES[kind(plain(each, self._named))] for each in branches]
        assert len({*types}) == len(types), "the types of a union differ in Python"
        self.text.line(f"t = type({place})")
        word = "if"
        for index, node in reversed([*enumerate(branches)]):  # texts come last, and often
            with self.text.block(f"{word} t is {types[index]}:"):
                self._branch(index, node, place)
            word = "elif"
        with self.text.block("else:"):
            self.text.line(f"raise no_branch({place})")

    def _branch(self, index: int, node: Any, place: str) -> None:
        self._parts.append(long_bytes(index))
        self._value(node, place)
        self._flush()

    def _items(self, node: Any, place: str) -> None:
        self._flush()
        self.text.line(f"n = len({place})")
        with self.text.block("if n:"):
            self._parts.append("LENGTHS[n]")
            self._flush()
            item = self.text.fresh("i")
            if node["type"] == "map":
                key = self.text.fresh("k")
                with self.text.block(f"for {key}, {item} in {place}.items():"):
                    self._parts.append(f"{self.text.value(Known(text_bytes))}[{key}]")
                    self._value(node["values"], item)
                    self._flush()
            else:
                with self.text.block(f"for {item} in {place}:"):
                    self._value(node["items"], item)
                    self._flush()
        self._parts.append(b"\0")

    def _flush(self) -> None:
        """Put the parts into ``q``."""
        parts = self._taken()
        if parts and self._has_list:
            self.text.line(f"q += ({', '.join(parts)},)")
        elif parts:
            self.text.line(f"q = [{', '.join(parts)}]")
            self._has_list = True

    def _taken(self) -> list[str]:
        """Return the parts as expressions, neighbours in one; no part is left."""
        expressions: list[str] = []
        for of_type, group in groupby(self._parts, type):
            expressions += self._merged(of_type, [*group])
        self._parts = []
        return expressions

    def _merged(self, of_type: type, parts: list[Any]) -> Iterable[str]:
        if of_type is bytes:
            return [repr(b"".join(parts))]
        if of_type is str:
            return parts
        pack = self.text.value(Struct("<" + "".join(each.code for each in parts)).pack)
        return [f"{pack}({', '.join(each.place for each in parts)})"]


class _RecordSource(_WriterSource):
    """Source for records that are mappings."""

    def take_apart(self, place: str, places: Mapping[str, str]) -> None:
        names = tuple(places)
        self.text.line(f"if len({place}) != {len(names)}: raise other_names({place}, {names!r})")
        for name, x in places.items():
            self.text.line(f"{x} = {place}[{name!r}]")


class _RowSource(_WriterSource):
    """Source for records that are rows."""

    def take_apart(self, place: str, places: Mapping[str, str]) -> None:
        self.text.line(f"({''.join(f'{x}, ' for x in places.values())}) = {place}")


def _is_optional(branches: list[Any]) -> bool:
    return len(branches) == 2 and "null" in branches  # noqa: PLR2004  # null and another
