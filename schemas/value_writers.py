"""Writers of Avro's types: each writes one value, and refuses what is none of its type."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from struct import pack
from typing import Final, final

from librt.strings import BytesWriter, write_f64_le

from schemas.varint import write_bytes, write_long

_SHORT_INT: Final = 2**62
"""Numbers below it, and not below its negative, surely fit 64 bits."""

_INT64_ABOVE: Final = 2**63
_INT32_ABOVE: Final = 2**31


class ValueWriter(ABC):
    """Writes values of one type of a schema."""

    @abstractmethod
    def write(self, out: BytesWriter, value: object) -> None:
        """Write a value.

        Raises
        ------
        TypeError, ValueError, KeyError, OverflowError, struct.error
            When it is none of the type.
        """


@final
class NullWriter(ValueWriter):
    """Writes None: nothing."""

    def write(self, out: BytesWriter, value: object) -> None:  # noqa: ARG002
        """See `ValueWriter.write`."""
        if value is not None:
            raise _other_type("null", value)


@final
class BooleanWriter(ValueWriter):
    """Writes a bool."""

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, bool):
            raise _other_type("boolean", value)
        out.append(1 if value else 0)


@final
class LongWriter(ValueWriter):
    """Writes a whole number of 64 bits."""

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, int):
            raise _other_type("long", value)
        if not -_SHORT_INT <= value < _SHORT_INT and not -_INT64_ABOVE <= value < _INT64_ABOVE:
            raise OverflowError(f"{value} does not fit 64 bits")
        write_long(out, value)


@final
class IntWriter(ValueWriter):
    """Writes a whole number of 32 bits."""

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, int):
            raise _other_type("int", value)
        if not -_INT32_ABOVE <= value < _INT32_ABOVE:
            raise OverflowError(f"{value} does not fit 32 bits")
        write_long(out, value)


@final
class DoubleWriter(ValueWriter):
    """Writes a float of 64 bits, or a whole number as one."""

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if isinstance(value, float):
            write_f64_le(out, value)
        elif isinstance(value, int):
            write_f64_le(out, float(value))
        else:
            raise _other_type("double", value)


@final
class FloatWriter(ValueWriter):
    """Writes a float of 32 bits."""

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        out.write(pack("<f", value))


@final
class StringWriter(ValueWriter):
    """Writes a text as UTF-8."""

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, str):
            raise _other_type("string", value)
        write_bytes(out, value.encode())


@final
class BytesValueWriter(ValueWriter):
    """Writes bytes."""

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, bytes):
            raise _other_type("bytes", value)
        write_bytes(out, value)


@final
class FixedWriter(ValueWriter):
    """Writes bytes of a fixed size as they are."""

    def __init__(self, size: int) -> None:
        self._size: Final = size

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, bytes):
            raise _other_type("fixed", value)
        if len(value) != self._size:
            raise ValueError(f"{len(value)} bytes instead of {self._size}")
        out.write(value)


@final
class EnumWriter(ValueWriter):
    """Writes one of some symbols by its place among them."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._places: Final = {symbol: place for place, symbol in enumerate(symbols)}

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, str):
            raise _other_type("enum", value)
        write_long(out, self._places[value])


@final
class OptionalWriter(ValueWriter):
    """Writes None, or a value after the branch that it has in its union."""

    def __init__(self, branch: int, writer: ValueWriter) -> None:
        self._absent: Final = 2 * (1 - branch)
        self._present: Final = 2 * branch
        self._writer: Final = writer

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if value is None:
            out.append(self._absent)
        else:
            out.append(self._present)
            self._writer.write(out, value)


@final
class Branch:
    """One of a union's types, and its place among them."""

    def __init__(self, place: int, writer: ValueWriter) -> None:
        self.place: Final = place
        self.writer: Final = writer


@final
class UnionWriter(ValueWriter):
    """Writes a value of one of some types, each of which is another in Python."""

    def __init__(self, branches: dict[type, Branch]) -> None:
        self._branches: Final = branches

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        branch = self._branches.get(type(value))
        if branch is None:
            raise _other_type("union", value)
        write_long(out, branch.place)
        branch.writer.write(out, value)


@final
class ArrayWriter(ValueWriter):
    """Writes a list or tuple, in one block."""

    def __init__(self, items: ValueWriter) -> None:
        self._items: Final = items

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, (list, tuple)):
            raise _other_type("array", value)
        if value:
            write_long(out, len(value))
            items = self._items
            for each in value:
                items.write(out, each)
        out.append(0)


@final
class MapWriter(ValueWriter):
    """Writes a dict whose keys are texts, in one block."""

    def __init__(self, values: ValueWriter) -> None:
        self._values: Final = values

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, dict):
            raise _other_type("map", value)
        if value:
            write_long(out, len(value))
            values = self._values
            for key, each in value.items():
                if not isinstance(key, str):
                    raise _other_type("a map's key", key)
                write_bytes(out, key.encode())
                values.write(out, each)
        out.append(0)


@final
class Field:
    """A field of a record."""

    def __init__(self, name: str, writer: ValueWriter) -> None:
        self.name: Final = name
        self.writer: Final = writer


@final
class RecordWriter(ValueWriter):
    """Writes a dict that names every field of a record and nothing else."""

    def __init__(self, fields: list[Field]) -> None:
        self._fields: Final = fields

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, dict):
            raise _other_type("record", value)
        if len(value) != len(self._fields):
            unlike = {*value}.symmetric_difference([field.name for field in self._fields])
            raise ValueError(f"fields that differ: {', '.join(sorted(unlike))}")
        for field in self._fields:
            field.writer.write(out, value[field.name])


@final
class RowWriter(ValueWriter):
    """Writes a record that is given as a tuple of values in the order of its fields."""

    def __init__(self, fields: list[Field]) -> None:
        self._fields: Final = fields

    def write(self, out: BytesWriter, value: object) -> None:
        """See `ValueWriter.write`."""
        if not isinstance(value, tuple):
            raise _other_type("row", value)
        if len(value) != len(self._fields):
            raise ValueError(f"{len(value)} values for {len(self._fields)} fields")
        place = 0
        for field in self._fields:
            field.writer.write(out, value[place])
            place += 1  # noqa: SIM113  # as compiled, it costs less than `enumerate`


def _other_type(wanted: str, value: object) -> TypeError:
    return TypeError(f"{wanted} wanted, not {type(value).__name__}")
