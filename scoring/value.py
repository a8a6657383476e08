"""What values have in common: they are equal when their fields are, and are never changed.

The hot path makes some of each for every event. Compiled, a plain class with typed attributes is
built in a twelfth of a dataclass's time; see `docs/adr/0010-the-hot-path-is-compiled.md`.
"""

from typing import Any, ClassVar, Self

from scoring.compiling import mypyc_attr


@mypyc_attr(acyclic=True)
class Value:
    """Base of values: equality, text and copies by the fields that `__slots__` names.

    A field is set once, as `Final`, by a constructor that takes all of them in their order.
    """

    __slots__: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        """Whether both are of one type and all fields are equal."""
        return type(self) is type(other) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        fields = zip(self.__slots__, self._fields(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def replace(self, **changes: Any) -> Self:
        """Return a value with some fields changed; not for the hot path."""
        fields = dict(zip(self.__slots__, self._fields(), strict=True))
        assert fields.keys() >= changes.keys(), "only fields can be replaced"
        return type(self)(**fields | changes)

    def _fields(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])
