"""Generates Python that reads values of an Avro schema.

For a record of a text, an optional text and a whole number that nobody asks for, it writes::

    def read(v):
        p = 5
        end = len(v)
        try:
            b = v[p]
            if b & 129:  # a length that is negative, or not in one byte
                if b & 1 or v[p + 1] & 128:
                    s, p = span_at(v, p)
                else:
                    s = p + 2
                    p = s + (b >> 1 & 63 | v[p + 1] << 6)
            else:
                s = p + 1
                p = s + (b >> 1)
            x1 = v[s:p].decode()
            b = v[p]
            p += 1
            if b == 0:
                x2 = None
            elif b == 2:
                b = v[p]
                …
                x2 = v[s:p].decode()
            else:
                raise no_choice(v, p - 1)
            if v[p] < 128:
                p += 1
            else:
                p = long_at(v, p)[1]
        except UnicodeDecodeError as error:
            raise no_text(error, p, end) from error
        if p != end:
            raise wrong_end(p, end)
        return {'event_id': x1, 'url': x2}

`v` are the bytes and `p` the place that is read next. It only grows, and `v[p]` beyond the end is
an IndexError. Slices beyond the end come back short: so `p` is compared with the end at the end.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from struct import error as StructError  # noqa: N812  # it is a class
from typing import Any

from schemas import avro_bytes, framing
from schemas.avro_bytes import TIME_BYTES
from schemas.avro_types import kind, plain
from schemas.source_text import SourceText

INLINE_TYPES_MAX = 4
"""Types within more of them get functions of their own: Python bears 20 nested loops."""

SHORT_BYTES_MAX = 63
"""Lengths that take one byte."""

TOO_SHORT = (IndexError, StructError)
"""What generated readers raise, beside Undecodable, when the bytes end too early."""

_NAMES: dict[str, object] = {
    name: getattr(avro_bytes, name)
    for name in (
        "bad_value",
        "count_at",
        "double_at",
        "float_at",
        "int_at",
        "long_at",
        "no_choice",
        "no_text",
        "span_at",
        "time_at",
        "truncated",
        "wrong_end",
    )
} | {"copy": copy}


Reader = Callable[[bytes], dict[str, object]]


def compile_reader(schema: Mapping[str, Any], defaults: Mapping[str, object]) -> Reader:
    """Return a function that reads framed records.

    Parameters
    ----------
    schema : mapping
        The writer's record schema as `writer_schema.parse` returns it.
    defaults : mapping
        The fields that records shall have, in their order, and what they hold where `schema` has
        no such field. What else it has is read, and left out.
    """
    source = ReaderSource(schema["__named_schemas"])
    places: dict[str, str] = {}
    with source.text.block("def read(v):"):
        with source.whole_record():
            for each in schema["fields"]:
                name = each["name"]
                if name in defaults:
                    places[name] = source.text.fresh("x")
                source.value(each["type"], places.get(name))
        for name in defaults.keys() - places.keys():
            places[name] = f"copy({source.text.value(defaults[name])})"
        source.text.line(
            f"return {{{', '.join(f'{name!r}: {places[name]}' for name in defaults)}}}"
        )
    reader: Reader = source.compiled("read")
    return reader


class ReaderSource:
    """Source that reads values, each from `p` in `v` on, and lets `p` stand behind it.

    Parameters
    ----------
    named : mapping
        The schema's named types.
    """

    def __init__(self, named: Mapping[str, Any]) -> None:
        self.text = SourceText()
        self.named = named
        self._functions: dict[tuple[int, bool], str] = {}
        self._waiting: list[tuple[str, Any, bool]] = []
        self._types_around = 0

    @contextmanager
    def whole_record(self) -> Iterator[None]:
        """Begin after the framing; see that the record ends where the bytes do."""
        self.text.line(f"p = {framing.HEAD_BYTES}")
        with self._texts():
            yield
        self.refuse("p != end", "wrong_end(p, end)")

    def compiled(self, name: str, names: Mapping[str, object] | None = None) -> Any:
        """Return the function `name`."""
        while self._waiting:
            self._write_function(*self._waiting.pop())
        return self.text.compiled(name, {**_NAMES, "ends": {}, **(names or {})})

    def value(self, node: Any, store: str | None) -> None:
        """Read a value of the type `node`, and assign it to `store`; None: it is only checked."""
        node = plain(node, self.named)
        kind_of_node = kind(node)
        if isinstance(node, str):
            self._primitive(node, store)
        elif kind_of_node == "fixed":
            self._fixed(node["size"], store)
        elif kind_of_node == "enum":
            self._enum(node["symbols"], store)
        elif self._types_around > INLINE_TYPES_MAX:
            self._call(node, store)
        else:
            self._types_around += 1
            self._nested(kind_of_node, node, store)
            self._types_around -= 1

    def string(self, store: str | None) -> None:
        """Read a text."""
        self._span()
        self.text.line(f"{store} = v[s:p].decode()" if store else "v[s:p].decode()")

    def number(self, kind_of_float: str, store: str | None) -> None:
        """Read a float or a double."""
        self.text.line(f"(d,) = {kind_of_float}_at(v, p)")
        self.text.line(f"p += {4 if kind_of_float == 'float' else 8}")
        self._assign(store, "d")

    def whole(self, kind_of_whole: str, store: str | None) -> None:
        """Read an int or a long."""
        line = self.text.line
        line("b = v[p]")
        with self.text.block("if b < 128:"):
            line("p += 1")
            self._assign(store, "b >> 1 ^ -(b & 1)")
        with self.text.block("else:"):
            if store and kind_of_whole == "long":
                self.time(store)
            else:
                line(f"{store or '_'}, p = {kind_of_whole}_at(v, p)")

    def time(self, store: str) -> None:
        """Read a long, of which ``b`` is the first byte, in the way that is quick for times.

        Times share the last three of their six bytes with others.
        """
        line = self.text.line
        line(f"e = ends.get(v[p + 3:p + {TIME_BYTES}])")
        with self.text.block("if e is None:"):
            line(f"{store}, p = time_at(v, p, ends)")
        with self.text.block("elif b & v[p + 1] & v[p + 2] & 128:"):
            line("b += (v[p + 1] << 7) + (v[p + 2] << 14) + e")
            line(f"p += {TIME_BYTES}")
            self._assign(store, "b >> 1 ^ -(b & 1)")
        with self.text.block("else:"):
            line(f"{store}, p = long_at(v, p)")

    def refuse(self, condition: str, error: str) -> None:
        """Raise `error` when `condition` holds."""
        self.text.line(f"if {condition}: raise {error}")

    def _nested(self, kind_of_node: str, node: Any, store: str | None) -> None:
        if kind_of_node == "union":
            self.choice(node, lambda each: self.value(each, store))
        elif kind_of_node == "record":
            self._record(node["fields"], store)
        else:
            self._items(node, store)

    def _primitive(self, name: str, store: str | None) -> None:
        if name == "null":
            self._assign(store, "None")
        elif name == "boolean":
            self.text.line("b = v[p]")
            self.refuse("b > 1", "bad_value(f'a boolean of {b}')")
            self.text.line("p += 1")
            self._assign(store, "b == 1")
        elif name in ("int", "long"):
            self.whole(name, store)
        elif name in ("float", "double"):
            self.number(name, store)
        elif name == "string":
            self.string(store)
        else:
            self._span()
            self._assign(store, "v[s:p]")

    def _span(self) -> None:
        line = self.text.line
        line("b = v[p]")
        with self.text.block("if b & 129:"):
            with self.text.block("if b & 1 or v[p + 1] & 128:"):
                line("s, p = span_at(v, p)")
            with self.text.block("else:"):
                line("s = p + 2")
                line("p = s + (b >> 1 & 63 | v[p + 1] << 6)")
            self.long_span()
        with self.text.block("else:"):
            line("s = p + 1")
            line("p = s + (b >> 1)")

    def long_span(self) -> None:
        """Add what is to be done when bytes or a text are longer than `SHORT_BYTES_MAX`."""

    def _fixed(self, size: int, store: str | None) -> None:
        self.text.line(f"p += {size:d}")
        self.refuse("p > end", "truncated('within a fixed')")
        self._assign(store, f"v[p - {size:d}:p]")

    def _enum(self, symbols: list[str], store: str | None) -> None:
        names = self.text.value(tuple(symbols))
        self.text.line("i, p = long_at(v, p)")
        self.refuse(f"not 0 <= i < {len(symbols)}", "bad_value(f'symbol {i}')")
        self._assign(store, f"{names}[i]")

    def choice(self, branches: list[Any], read: Callable[[Any], None]) -> None:
        """Read which branch of a union it is; `read` writes what reads a branch."""
        if not branches:
            self.text.line("raise no_choice(v, p)")
            return
        self.text.line("b = v[p]")
        self.text.line("p += 1")
        for index, each in enumerate(branches):
            with self.text.block(f"{'elif' if index else 'if'} b == {2 * index}:"):
                read(each)
        with self.text.block("else:"):
            self.text.line("raise no_choice(v, p - 1)")

    def _record(self, fields: list[Any], store: str | None) -> None:
        entries = []
        for each in fields:
            place = store and self.text.fresh("x")
            self.value(each["type"], place)
            entries.append(f"{each['name']!r}: {place}")
        self._assign(store, f"{{{', '.join(entries)}}}")

    def _items(self, node: Any, store: str | None) -> None:
        count, line = self.text.fresh("n"), self.text.line
        is_map = node["type"] == "map"
        self._assign(store, "{}" if is_map else "[]")
        with self.text.block("while True:"):
            line(f"{count} = v[p]")
            with self.text.block(f"if {count} & 129:"):
                line(f"{count}, p = count_at(v, p)")
            with self.text.block("else:"):
                line(f"{count} >>= 1")
                line("p += 1")
            line(f"if not {count}: break")
            with self.text.block(f"for _ in range({count}):"):
                if is_map:
                    self._entry(node["values"], store)
                else:
                    self._item(node["items"], store)

    def _item(self, node: Any, store: str | None) -> None:
        item = store and self.text.fresh("x")
        self.value(node, item)
        if store:
            self.text.line(f"{store}.append({item})")

    def _entry(self, node: Any, store: str | None) -> None:
        key = store and self.text.fresh("k")
        self.string(key)
        self.value(node, f"{store}[{key}]" if store else None)

    def _call(self, node: Any, store: str | None) -> None:
        key = (id(node), store is not None)
        if key not in self._functions:
            self._functions[key] = self.text.fresh("read")
            self._waiting.append((self._functions[key], node, store is not None))
        self.text.line(f"{store or '_'}, p = {self._functions[key]}(v, p)")

    def _write_function(self, name: str, node: Any, kept: bool) -> None:
        with self.text.block(f"def {name}(v, p):"):
            with self._texts():
                self.value(node, "x" if kept else None)
            self.text.line(f"return {'x' if kept else None}, p")

    @contextmanager
    def _texts(self) -> Iterator[None]:
        self.text.line("end = len(v)")
        with self.text.block("try:"):
            yield
        with self.text.block("except UnicodeDecodeError as error:"):
            self.text.line("raise no_text(error, p, end) from error")

    def _assign(self, store: str | None, expression: str) -> None:
        if store:
            self.text.line(f"{store} = {expression}")
