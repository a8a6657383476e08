"""Columns of a table, derived from the Avro schema of its topic."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from operator import itemgetter
from typing import Any

from sinks.texts import misread_names, text_of

TIME_MIN_MS = -2_208_988_800_000
TIME_MAX_MS = 10_413_791_999_999
"""What DateTime64 holds: 1900-01-01 to 2299-12-31 23:59:59.999. Times beyond it are stored as the
nearest of the two, since one lead's broken clock must not hold up its partition."""

TIME_TYPE = "DateTime64(3, 'UTC')"
MAP_TYPE = "Map(String, Nullable(String))"

Values = Sequence[Any]
Convert = Callable[[Values], Values]


class UnfitValue(Exception):
    """A value that its column cannot hold.

    Parameters
    ----------
    row : int
        Place of its row among the values.
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column and how values come into it.

    Parameters
    ----------
    type : str
        ClickHouse's name of it; a table may add `LowCardinality`, which changes no value.
    convert : callable
        From values as the Avro decoder gives them (times in milliseconds) to values as the driver
        takes them. Raises `UnfitValue`.
    field_name : str or None
        Field of the record that it is made of; None: the one of its own name.
    """

    name: str
    type: str
    convert: Convert
    field_name: str | None = None


def columns_of(schema: Mapping[str, Any]) -> tuple[Column, ...]:
    """Derive the columns of a record type.

    Parameters
    ----------
    schema : mapping
        An Avro record schema: primitive types, times in milliseconds, optional ones of both,
        arrays of records, and maps of scalars.

    Returns
    -------
    tuple of Column
        One for each field, in their order.

    Raises
    ------
    ValueError
        When a field's type has no column type here.
    """
    return tuple(_column(each["name"], each["type"]) for each in schema["fields"])


def misread_texts(field: str) -> Column:
    """Return a column beside that of a map, with the names of texts that came as texts.

    A map's column holds texts only; this one tells the string 200 from the number 200.

    Parameters
    ----------
    field : str
        A map of scalars.
    """

    def convert(values: Values) -> Values:
        _check_types(values, frozenset({dict}))
        return [misread_names(fields) if fields else [] for fields in values]

    return Column(
        name=f"{field}_text_fields", type="Array(String)", convert=convert, field_name=field
    )


_PLAIN: Mapping[str, tuple[str, frozenset[type]]] = {
    "string": ("String", frozenset({str})),
    "bytes": ("String", frozenset({bytes})),
    "boolean": ("Bool", frozenset({bool})),
    "int": ("Int32", frozenset({int})),
    "long": ("Int64", frozenset({int})),
    "double": ("Float64", frozenset({float, int})),
}
_LIMITS = {"int": 1 << 31, "long": 1 << 63}
_NONE = type(None)


def _column(name: str, avro: Any) -> Column:
    if isinstance(avro, list):
        inner = [each for each in avro if each != "null"]
        if len(inner) == 1:
            return _scalar(name, inner[0], optional=len(inner) < len(avro))
    elif isinstance(avro, dict) and avro["type"] == "array":
        return _array(name, columns_of(avro["items"]))
    elif isinstance(avro, dict) and avro["type"] == "map":
        return Column(name=name, type=MAP_TYPE, convert=_texts)
    else:
        return _scalar(name, avro, optional=False)
    raise ValueError(f"field {name!r}: there is no column type for {avro}")


def _scalar(name: str, avro: Any, *, optional: bool) -> Column:
    time = isinstance(avro, dict) and avro.get("logicalType") == "timestamp-millis"
    plain = "long" if time else avro
    if not isinstance(plain, str) or plain not in _PLAIN:
        raise ValueError(f"field {name!r}: there is no column type for {avro}")
    clickhouse, allowed = _PLAIN[plain]
    if time:
        clickhouse = TIME_TYPE
    if optional:
        clickhouse, allowed = f"Nullable({clickhouse})", allowed | {_NONE}
    limit = _LIMITS.get(plain)

    def convert(values: Values) -> Values:
        _check_types(values, allowed)
        if time:
            return _clamped(values)
        if limit is not None:
            _check_range(values, limit)
        return values

    return Column(name=name, type=clickhouse, convert=convert)


def _array(name: str, fields: tuple[Column, ...]) -> Column:
    inner = ", ".join(f"{field.name} {field.type}" for field in fields)

    def convert(values: Values) -> Values:
        _check_types(values, frozenset({list, tuple}))
        items = list(chain.from_iterable(values))
        ends = list(accumulate(map(len, values), initial=0))
        try:
            parts = [field.convert(list(map(itemgetter(field.name), items))) for field in fields]
        except UnfitValue as error:
            raise UnfitValue(bisect_right(ends, error.row) - 1, str(error)) from None
        tuples = list(zip(*parts, strict=True))
        return [tuples[begin:end] for begin, end in pairwise(ends)]

    return Column(name=name, type=f"Array(Tuple({inner}))", convert=convert)


def _texts(values: Values) -> Values:
    _check_types(values, frozenset({dict}))
    return [
        {key: value if type(value) is str else text_of(value) for key, value in fields.items()}
        if fields
        else fields
        for fields in values
    ]


def _clamped(values: Values) -> Values:
    present = _present(values)
    if not present or (min(present) >= TIME_MIN_MS and max(present) <= TIME_MAX_MS):
        return values
    return [
        None if value is None else min(max(value, TIME_MIN_MS), TIME_MAX_MS) for value in values
    ]


def _check_types(values: Values, allowed: frozenset[type]) -> None:
    if set(map(type, values)) <= allowed:
        return
    row = next(row for row, value in enumerate(values) if type(value) not in allowed)
    wanted = " or ".join(sorted(each.__name__ for each in allowed))
    raise UnfitValue(row, f"a {type(values[row]).__name__} stands where {wanted} should")


def _check_range(values: Values, limit: int) -> None:
    present = _present(values)
    if not present or (min(present) >= -limit and max(present) < limit):
        return
    row = next(
        row for row, value in enumerate(values) if value is not None and not -limit <= value < limit
    )
    raise UnfitValue(row, f"{values[row]} is out of range")


def _present(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]
