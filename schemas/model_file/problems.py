"""What is wrong with a model file, told so that its writer can put it right."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and places from the top of the file: ``("signals", 0, "points")``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to put right.

    Parameters
    ----------
    line : int
        From 1.
    path : str
        Like ``signals[0].points``; empty for the file as a whole.
    message : str
        What is wrong.
    cure : str
        What to do about it.
    """

    line: int
    path: str
    message: str
    cure: str


class ModelError(Exception):
    """A model file cannot be used; permanent until somebody edits it.

    Parameters
    ----------
    file_name : str
    problems : tuple of Problem
        All that was found, by line.
    """

    def __init__(self, file_name: str, problems: tuple[Problem, ...]) -> None:
        self.file_name = file_name
        self.problems = tuple(sorted(problems, key=lambda one: (one.line, one.path)))
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        return [
            f"{self.file_name}:{one.line}: {one.path + ': ' if one.path else ''}"
            f"{one.message}; {one.cure}"
            for one in self.problems
        ]


def path_text(path: Path) -> str:
    """Return a path as people write it.

    Examples
    --------
    >>> path_text(("signals", 0, "points"))
    'signals[0].points'
    """
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(steps).removeprefix(".")
