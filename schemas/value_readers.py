"""Readers of Avro's types: each reads one value, and refuses what is none of its type."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, final

from schemas.avro_cursor import Cursor, bad_value

_INT32_ABOVE: Final = 2**31


class ValueReader(ABC):
    """Reads values of one type of a schema."""

    @abstractmethod
    def read(self, cursor: Cursor) -> object:
        """Read the value at the cursor.

        Raises
        ------
        Undecodable
            When it is none of the type, or the bytes end before it does.
        IndexError
            When they end within a number.
        """

    def skip(self, cursor: Cursor) -> None:
        """Read the value, and build nothing of it that takes more memory than its bytes."""
        self.read(cursor)

    def takes_bytes(self) -> bool:
        """Whether there is anything to read of values."""
        return True


@final
class NullReader(ValueReader):
    """Reads None: nothing."""

    def read(self, cursor: Cursor) -> None:  # noqa: ARG002
        """See `ValueReader.read`."""
        return

    def takes_bytes(self) -> bool:
        """See `ValueReader.takes_bytes`."""
        return False


@final
class BooleanReader(ValueReader):
    """Reads a bool."""

    def read(self, cursor: Cursor) -> bool:
        """See `ValueReader.read`."""
        byte = cursor.byte()
        if byte > 1:
            raise bad_value(f"a boolean of {byte}")
        return byte == 1


@final
class LongReader(ValueReader):
    """Reads a whole number of 64 bits."""

    def read(self, cursor: Cursor) -> int:
        """See `ValueReader.read`."""
        return cursor.long()


@final
class IntReader(ValueReader):
    """Reads a whole number of 32 bits."""

    def read(self, cursor: Cursor) -> int:
        """See `ValueReader.read`."""
        number = cursor.long()
        if not -_INT32_ABOVE <= number < _INT32_ABOVE:
            raise bad_value(f"{number} does not fit 32 bits")
        return number


@final
class DoubleReader(ValueReader):
    """Reads a float of 64 bits."""

    def read(self, cursor: Cursor) -> float:
        """See `ValueReader.read`."""
        return cursor.double()


@final
class FloatReader(ValueReader):
    """Reads a float of 32 bits."""

    def read(self, cursor: Cursor) -> float:
        """See `ValueReader.read`."""
        return cursor.single()


@final
class StringReader(ValueReader):
    """Reads a text."""

    def read(self, cursor: Cursor) -> str:
        """See `ValueReader.read`."""
        return cursor.text()


@final
class BytesReader(ValueReader):
    """Reads bytes after their number."""

    def read(self, cursor: Cursor) -> bytes:
        """See `ValueReader.read`."""
        return cursor.sized()


@final
class FixedReader(ValueReader):
    """Reads bytes of a fixed size."""

    def __init__(self, size: int) -> None:
        self._size: Final = size

    def read(self, cursor: Cursor) -> bytes:
        """See `ValueReader.read`."""
        return cursor.take(self._size)

    def takes_bytes(self) -> bool:
        """See `ValueReader.takes_bytes`."""
        return self._size > 0


@final
class EnumReader(ValueReader):
    """Reads one of some symbols by its place among them."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols: Final = list(symbols)

    def read(self, cursor: Cursor) -> str:
        """See `ValueReader.read`."""
        place = cursor.long()
        if not 0 <= place < len(self._symbols):
            raise bad_value(f"symbol {place} of {len(self._symbols)}")
        return self._symbols[place]


@final
class OptionalReader(ValueReader):
    """Reads None, or a value after the branch that it has in its union."""

    def __init__(self, branch: int, reader: ValueReader) -> None:
        self._absent: Final = 2 * (1 - branch)
        self._present: Final = 2 * branch
        self._reader: Final = reader

    def read(self, cursor: Cursor) -> object:
        """See `ValueReader.read`."""
        return self._reader.read(cursor) if self._is_there(cursor) else None

    def skip(self, cursor: Cursor) -> None:
        """See `ValueReader.skip`."""
        if self._is_there(cursor):
            self._reader.skip(cursor)

    def _is_there(self, cursor: Cursor) -> bool:
        byte = cursor.byte()
        if byte == self._present:
            return True
        if byte != self._absent:
            raise _no_branch(byte, 2)
        return False


@final
class UnionReader(ValueReader):
    """Reads a value of one of some types, of which one byte says which."""

    def __init__(self, branches: list[ValueReader]) -> None:
        self._branches: Final = branches

    def read(self, cursor: Cursor) -> object:
        """See `ValueReader.read`."""
        return self._branch(cursor).read(cursor)

    def skip(self, cursor: Cursor) -> None:
        """See `ValueReader.skip`."""
        self._branch(cursor).skip(cursor)

    def _branch(self, cursor: Cursor) -> ValueReader:
        byte = cursor.byte()
        if byte & 1 or byte >> 1 >= len(self._branches):
            raise _no_branch(byte, len(self._branches))
        return self._branches[byte >> 1]


@final
class ArrayReader(ValueReader):
    """Reads a list, in blocks up to one without items."""

    def __init__(self, items: ValueReader) -> None:
        self._items: Final = items

    def read(self, cursor: Cursor) -> list[object]:
        """See `ValueReader.read`."""
        items: list[object] = []
        while count := cursor.count():
            for _ in range(count):
                items.append(self._items.read(cursor))  # noqa: PERF401  # compiled, it is quick
        return items

    def skip(self, cursor: Cursor) -> None:
        """See `ValueReader.skip`."""
        while count := cursor.count():
            for _ in range(count):
                self._items.skip(cursor)


@final
class MapReader(ValueReader):
    """Reads a dict whose keys are texts, in blocks up to one without entries."""

    def __init__(self, values: ValueReader) -> None:
        self._values: Final = values

    def read(self, cursor: Cursor) -> dict[str, object]:
        """See `ValueReader.read`."""
        entries: dict[str, object] = {}
        while count := cursor.count():
            for _ in range(count):
                key = cursor.text()
                entries[key] = self._values.read(cursor)
        return entries

    def skip(self, cursor: Cursor) -> None:
        """See `ValueReader.skip`."""
        while count := cursor.count():
            for _ in range(count):
                cursor.text()
                self._values.skip(cursor)


@final
class Field:
    """A field of a record; one that is not kept is skipped."""

    def __init__(self, name: str, reader: ValueReader, *, is_kept: bool = True) -> None:
        self.name: Final = name
        self.reader: Final = reader
        self.is_kept: Final = is_kept


@final
class RecordReader(ValueReader):
    """Reads a dict of the fields of a record."""

    def __init__(self, fields: list[Field]) -> None:
        self._fields: Final = fields
        self._skipped: Final = [each.reader for each in fields if each.reader.takes_bytes()]

    def read(self, cursor: Cursor) -> dict[str, object]:
        """See `ValueReader.read`."""
        record: dict[str, object] = {}
        self.read_into(record, cursor)
        return record

    def read_into(self, record: dict[str, object], cursor: Cursor) -> None:
        """Read fields into a record that may hold others."""
        for field in self._fields:
            if field.is_kept:
                record[field.name] = field.reader.read(cursor)
            else:
                field.reader.skip(cursor)

    def skip(self, cursor: Cursor) -> None:
        """See `ValueReader.skip`."""
        for reader in self._skipped:
            reader.skip(cursor)

    def takes_bytes(self) -> bool:
        """See `ValueReader.takes_bytes`."""
        return bool(self._skipped)


def _no_branch(byte: int, branches: int) -> Exception:
    return bad_value(f"byte {byte} for one of {branches} branches")
