"""What reads Avro: one small object for each type of a schema, and one method to read it.

A record of a text and optional bytes is ``Record([Field("id", Text()), Field("key",
Optional(Bytes()))])``. They know no schema; `schemas.avro_reader` makes them of one.
"""

from abc import ABC, abstractmethod
from struct import Struct
from typing import Final, final

from schemas.avro_cursor import Cursor, bad_value

_INT32_ABOVE: Final = 2**31
_SECOND: Final = 2
"""The second branch of a union, as its byte says."""


class Node(ABC):
    """Reads values of one type."""

    __slots__ = ()

    @abstractmethod
    def read(self, cursor: Cursor) -> object:
        """Read the value at the cursor.

        Raises
        ------
        Undecodable
            When it is not what the type says.
        IndexError
            When the bytes end before it does.
        """

    def skip(self, cursor: Cursor) -> None:
        """Read the value, and keep nothing of it: what nobody asks for takes no memory."""
        self.read(cursor)

    def is_empty(self) -> bool:
        """Whether the values take no bytes."""
        return False


@final
class Null(Node):
    """Nothing, in no bytes."""

    __slots__ = ()

    def read(self, cursor: Cursor) -> None:
        return

    def is_empty(self) -> bool:
        return True


@final
class Boolean(Node):
    """True or false."""

    __slots__ = ()

    def read(self, cursor: Cursor) -> bool:
        byte = cursor.byte()
        if byte > 1:
            raise bad_value(f"a boolean of {byte}")
        return byte == 1


@final
class Int(Node):
    """A whole number of 32 bits."""

    __slots__ = ()

    def read(self, cursor: Cursor) -> int:
        number = cursor.long()
        if not -_INT32_ABOVE <= number < _INT32_ABOVE:
            raise bad_value(f"{number} does not fit 32 bits")
        return number


@final
class Long(Node):
    """A whole number of 64 bits."""

    __slots__ = ()

    def read(self, cursor: Cursor) -> int:
        return cursor.long()


@final
class Real(Node):
    """A float or a double."""

    __slots__ = ("_size", "_unpack")

    def __init__(self, layout: Struct) -> None:
        self._size: Final = layout.size
        self._unpack: Final = layout.unpack

    def read(self, cursor: Cursor) -> object:
        (number,) = self._unpack(cursor.take(self._size))
        return number


@final
class Bytes(Node):
    """Bytes, with their number before them."""

    __slots__ = ()

    def read(self, cursor: Cursor) -> bytes:
        return cursor.sized()


@final
class Text(Node):
    """A string."""

    __slots__ = ()

    def read(self, cursor: Cursor) -> str:
        return cursor.text()


@final
class Fixed(Node):
    """Bytes of a number that the schema gives."""

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        self._size: Final = size

    def read(self, cursor: Cursor) -> bytes:
        return cursor.take(self._size)

    def is_empty(self) -> bool:
        return self._size == 0


@final
class Enum(Node):
    """One of a few names."""

    __slots__ = ("_symbols",)

    def __init__(self, symbols: list[str]) -> None:
        self._symbols: Final = symbols

    def read(self, cursor: Cursor) -> str:
        index = cursor.long()
        if not 0 <= index < len(self._symbols):
            raise bad_value(f"symbol {index}")
        return self._symbols[index]


@final
class Choice(Node):
    """A union: the number of a branch, in one byte, and what is in it."""

    __slots__ = ("_branches",)

    def __init__(self, branches: list[Node]) -> None:
        self._branches: Final = branches

    def read(self, cursor: Cursor) -> object:
        return self._branch(cursor).read(cursor)

    def skip(self, cursor: Cursor) -> None:
        self._branch(cursor).skip(cursor)

    def _branch(self, cursor: Cursor) -> Node:
        byte = cursor.byte()
        if byte & 1 or byte >> 1 >= len(self._branches):
            raise bad_value(f"branch {byte} / 2 of {len(self._branches)}")
        return self._branches[byte >> 1]


@final
class Optional(Node):
    """A union of null, which comes first, and one more type: quicker than `Choice`."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node: Final = node

    def read(self, cursor: Cursor) -> object:
        return self._node.read(cursor) if self._is_there(cursor) else None

    def skip(self, cursor: Cursor) -> None:
        if self._is_there(cursor):
            self._node.skip(cursor)

    def _is_there(self, cursor: Cursor) -> bool:
        byte = cursor.byte()
        if byte & ~_SECOND:
            raise bad_value(f"branch {byte} / 2 of 2")
        return byte == _SECOND


@final
class Array(Node):
    """Items in blocks, the last of which is empty."""

    __slots__ = ("_item",)

    def __init__(self, item: Node) -> None:
        self._item: Final = item

    def read(self, cursor: Cursor) -> list[object]:
        items: list[object] = []
        while count := cursor.count():
            for _ in range(count):
                items.append(self._item.read(cursor))
        return items

    def skip(self, cursor: Cursor) -> None:
        while count := cursor.count():
            for _ in range(count):
                self._item.skip(cursor)


@final
class Map(Node):
    """Values by texts, in blocks like those of an array."""

    __slots__ = ("_value",)

    def __init__(self, value: Node) -> None:
        self._value: Final = value

    def read(self, cursor: Cursor) -> dict[str, object]:
        values: dict[str, object] = {}
        while count := cursor.count():
            for _ in range(count):
                name = cursor.text()
                values[name] = self._value.read(cursor)
        return values

    def skip(self, cursor: Cursor) -> None:
        while count := cursor.count():
            for _ in range(count):
                cursor.text()
                self._value.skip(cursor)


@final
class Field:
    """One field of a record, which is kept when it is read, or left out."""

    __slots__ = ("is_kept", "name", "node")

    def __init__(self, name: str, node: Node, *, is_kept: bool = True) -> None:
        self.name: Final = name
        self.node: Final = node
        self.is_kept: Final = is_kept


@final
class Record(Node):
    """Fields, one after the other."""

    __slots__ = ("_fields", "_skipped")

    def __init__(self, fields: list[Field]) -> None:
        self._fields: Final = fields
        self._skipped: Final = [each.node for each in fields if not each.node.is_empty()]

    def read(self, cursor: Cursor) -> dict[str, object]:
        record: dict[str, object] = {}
        self.read_into(record, cursor)
        return record

    def read_into(self, record: dict[str, object], cursor: Cursor) -> None:
        """Read the fields that are kept into a record that may hold others."""
        for field in self._fields:
            if field.is_kept:
                record[field.name] = field.node.read(cursor)
            else:
                field.node.skip(cursor)

    def skip(self, cursor: Cursor) -> None:
        for node in self._skipped:
            node.skip(cursor)

    def is_empty(self) -> bool:
        return not self._skipped
