"""Finds where a native block ends, without decoding it: its bytes are passed on as they are.

The format has no length: a reader must know each type's layout. Types that the engine serialises
in its own ways (JSON, Dynamic, Variant, AggregateFunction) are refused.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from leadvelocity.stack.clickhouse.byte_source import ByteSource
from leadvelocity.stack.clickhouse.encoding import text, varint
from leadvelocity.stack.clickhouse.errors import ProtocolError

COLUMNS_MAX = 10_000
"""A block that says it has more columns is refused."""

_FIXED = {
    **dict.fromkeys(("UInt8", "Int8", "Bool", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("UInt16", "Int16", "Date", "Enum16", "BFloat16"), 2),
    **dict.fromkeys(("UInt32", "Int32", "Float32", "Date32", "DateTime", "IPv4", "Time"), 4),
    **dict.fromkeys(("UInt64", "Int64", "Float64", "DateTime64", "Time64"), 8),
    **dict.fromkeys(("UInt128", "Int128", "UUID", "IPv6"), 16),
    **dict.fromkeys(("UInt256", "Int256"), 32),
}
_DECIMAL_BYTES = ((9, 4), (18, 8), (38, 16), (76, 32))  # digits at most, bytes
_INDEX_BYTES = {0: 1, 1: 2, 2: 4, 3: 8}
_OFFSET_BYTES = 8
_SHORT = 0x80
_SPLIT = re.compile(r"""('(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[(),])""")
_NAMED = re.compile(r"^(?:\w+|`(?:[^`\\]|\\.)*`) +(?=[A-Z])")

Step = Callable[[ByteSource, int], None]


class Layout:
    """How a type's values lie in a block: what comes once before them, and the values.

    Parameters
    ----------
    prefix : callable
        Passes over what a column has before its values.
    values : callable
        Passes over the given number of values.
    """

    __slots__ = ("prefix", "values")

    def __init__(self, values: Step, *parts: "Layout", prefix_bytes: int = 0) -> None:
        self.values = values

        def prefix(source: ByteSource) -> None:
            source.at += prefix_bytes
            for part in parts:
                part.prefix(source)

        self.prefix: Callable[[ByteSource], None] = prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What a block says of itself.

    Parameters
    ----------
    columns : tuple of (str, str)
        Names and types.
    """

    columns: tuple[tuple[str, str], ...]
    rows: int


def walk(source: ByteSource) -> Block:
    """Pass over one block (without block info).

    Raises
    ------
    ProtocolError
        It has a type that is not known here, or too many columns.
    """
    count, rows = source.varint(), source.varint()
    if count > COLUMNS_MAX:
        raise ProtocolError(f"a block of {count} columns; the limit is {COLUMNS_MAX}")
    columns = []
    for _ in range(count):
        name, type_name = source.text(), source.text()
        columns.append((name, type_name))
        layout = layout_of(type_name)
        if rows:
            layout.prefix(source)
            layout.values(source, rows)
    source.require(0)
    return Block(columns=tuple(columns), rows=rows)


def header(columns: Iterable[tuple[str, str]]) -> bytes:
    """Return a block of these columns, names and types, without rows."""
    described = [text(name) + text(type_name) for name, type_name in columns]
    return varint(len(described)) + varint(0) + b"".join(described)


@lru_cache(maxsize=1_000)
def layout_of(name: str) -> Layout:
    """Return the layout of the type with this name; raises ProtocolError if it is unknown."""
    outer, _, inner = name.partition("(")
    arguments = _arguments(inner.removesuffix(")"))
    composed = _COMPOSED.get(outer)
    if composed:
        return composed(arguments)
    width = _width(outer, arguments)
    if width is None:
        raise ProtocolError(f"blocks with a column of type {name} are not passed on here")

    def values(source: ByteSource, rows: int) -> None:
        source.at += rows * width

    return Layout(values)


def _width(outer: str, arguments: list[str]) -> int | None:
    if outer == "FixedString":
        return int(arguments[0])
    if outer == "Decimal":
        digits = int(arguments[0])
        return next((width for most, width in _DECIMAL_BYTES if digits <= most), None)
    if outer.startswith("Decimal"):
        return int(outer.removeprefix("Decimal")) // 8
    if outer.startswith("Interval"):
        return 8
    return _FIXED.get(outer)


def _arguments(text: str) -> list[str]:
    """Split at the commas that are in no brackets and no quotes."""
    depth = 0
    found = [""]
    for piece in _SPLIT.split(text):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "," and depth == 0:
            found.append("")
        else:
            found[-1] += piece
    return [each.strip() for each in found if each.strip()]


def _strings(source: ByteSource, rows: int) -> None:
    # The hot loop: most strings are short, and most of them are here already.
    data, at = source.data, source.at
    for _ in range(rows):
        try:
            size = data[at]
        except IndexError:
            source.at = at
            source.require(1)
            size = data[at]
        at += 1
        if size >= _SHORT:
            source.at = at - 1
            size = source.varint()
            at = source.at
        at += size
    source.at = at


def _nullable(inner: Layout) -> Layout:
    def values(source: ByteSource, rows: int) -> None:
        source.at += rows
        inner.values(source, rows)

    return Layout(values, inner)


def _array(inner: Layout) -> Layout:
    def values(source: ByteSource, rows: int) -> None:
        if rows:
            source.at += (rows - 1) * _OFFSET_BYTES
            inner.values(source, source.fixed(_OFFSET_BYTES))

    return Layout(values, inner)


def _tuple(parts: list[Layout]) -> Layout:
    def values(source: ByteSource, rows: int) -> None:
        for part in parts:
            part.values(source, rows)

    return Layout(values, *parts)


def _low_cardinality(inner: Layout) -> Layout:
    def values(source: ByteSource, rows: int) -> None:
        while rows > 0:
            index_bytes = _INDEX_BYTES.get(source.fixed(8) & 0xFF)
            if index_bytes is None:
                raise ProtocolError("a LowCardinality column with an unknown index")
            inner.values(source, source.fixed(8))
            portion = source.fixed(8)
            if not 0 < portion <= rows:
                raise ProtocolError("a LowCardinality column with a wrong number of rows")
            source.at += portion * index_bytes
            rows -= portion

    return Layout(values, prefix_bytes=8)


def _members(arguments: list[str]) -> Layout:
    return _tuple([layout_of(_NAMED.sub("", each)) for each in arguments])


def _without_nulls(name: str) -> str:
    return re.sub(r"^Nullable\((.*)\)$", r"\1", name)


_COMPOSED: dict[str, Callable[[list[str]], Layout]] = {
    "String": lambda _: Layout(_strings),
    "Nullable": lambda inner: _nullable(layout_of(inner[0])),
    "Array": lambda inner: _array(layout_of(inner[0])),
    "Tuple": _members,
    "Map": lambda inner: _array(_members(inner)),
    "Nested": lambda inner: _array(_members(inner)),
    # Its dictionary has no marks for nulls.
    "LowCardinality": lambda inner: _low_cardinality(layout_of(_without_nulls(inner[0]))),
    "SimpleAggregateFunction": lambda arguments: layout_of(arguments[-1]),
}
