"""Python source that is written by a program, and what it becomes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class SourceText:
    """Lines of source, and the values that they name.

    Foreign text gets into lines as `repr` gives it, or not at all: what is compiled is ours.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._values: dict[str, object] = {}
        self._count = 0
        self._depth = 0

    def line(self, text: str) -> None:
        """Add one line to the block that is open."""
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Open a block below `head`."""
        self.line(head)
        self._depth += 1
        lines_before = len(self._lines)
        yield
        if len(self._lines) == lines_before:
            self.line("pass")
        self._depth -= 1

    def fresh(self, stem: str) -> str:
        """Return a name that is not used yet."""
        self._count += 1
        return f"{stem}{self._count}"

    def value(self, value: object) -> str:
        """Return a name that stands for `value` in all lines."""
        name = self.fresh("VALUE")
        self._values[name] = value
        return name

    def compiled(self, name: str, names: dict[str, object]) -> Any:
        """Run the lines, to which `names` are known, and return what they call `name`."""
        scope = {**names, **self._values}
        exec(compile(str(self), f"<generated {name}>", "exec"), scope)  # noqa: S102
        return scope[name]

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)
