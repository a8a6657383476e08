"""Conditions as expressions in CEL, the Common Expression Language."""

import operator
import re
from collections.abc import Callable, Mapping

import cel

EXPRESSION_CHARS_MAX = 1_000
"""Longer ones are refused; the compiler descends into brackets on its stack."""

INT_BITS = 64
"""CEL's integers; larger ones are taken as floating-point numbers."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)

_OF_PROFILE = re.compile(r"\bprofile\b(?:\s*\.\s*([A-Za-z_]\w*)\b(?!\s*\())?", re.ASCII)
"""The profile, and what is read of it; nothing, where that is not a field but a call of CEL's."""

_COMPARISON = re.compile(r"\s*([a-z_]+)\s*(>=|>|<=|<)\s*([0-9]+\.[0-9]+)\s*", re.ASCII)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


class ExpressionError(ValueError):
    """An expression cannot be used; permanent until somebody edits it."""


class Expression:
    """Holds when a CEL expression is true of an event and its lead.

    It sees the event's own fields, ``profile``, and profile fields by their bare names where the
    event has no such field. Answers in forms are text, so in `profile` what looks like a number
    is one. A missing field, an error, or a result other than true does not hold.

    Parameters
    ----------
    text : str

    Raises
    ------
    ExpressionError
        If `text` is no CEL expression or too long.
    """

    __slots__ = ("_comparison", "_program", "answers", "names", "source")

    def __init__(self, text: str) -> None:
        if len(text) > EXPRESSION_CHARS_MAX:
            raise ExpressionError(f"longer than {EXPRESSION_CHARS_MAX} characters")
        self.source = f"cel:{text.strip()}"
        try:
            self._program = cel.compile(text)
        except ValueError as error:
            raise ExpressionError(_first_complaint(str(error))) from error
        self.names = tuple(sorted(self._program.variables()))
        self.answers = _answers(text, self.names)
        self._comparison = _comparison(text)

    def holds(self, view: Mapping[str, object]) -> bool:
        """Whether it is true of `view`."""
        if self._comparison is not None:
            compare, bound = self._comparison
            value = view.get(self.names[0])
            if type(value) is float:
                return compare(value, bound)
        try:
            return self._program.execute(self._context(view)) is True
        except (LookupError, RuntimeError, TypeError, ValueError, ArithmeticError):
            return False  # CEL's ways to say: missing, or not of that type

    def _context(self, view: Mapping[str, object]) -> dict[str, object]:
        """Give the names that the expression uses; carrying over others would cost most."""
        profile = view.get("profile", {})
        assert isinstance(profile, Mapping)
        context: dict[str, object] = {}
        for name in self.names:
            if name == "profile":
                context[name] = {
                    key: _number(value)
                    for key, value in profile.items()
                    if self.answers is None or key in self.answers
                }
            elif view.get(name) is not None:
                context[name] = _fitting(view[name])
            elif name in profile:
                context[name] = _number(profile[name])
            elif name in view:
                context[name] = None
        return context


def _answers(text: str, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return which form answers an expression may look at; None: perhaps all of them.

    Whatever else the text has that looks like a field of the profile only adds to them.
    """
    fields = [match[1] for match in _OF_PROFILE.finditer(text)]
    if None in fields:
        return None
    return tuple(sorted({*fields, *names} - {"profile"}))


def _comparison(text: str) -> tuple[Callable[[float, float], bool], float] | None:
    """Return what a comparison with a decimal number means for a float, ten times as fast."""
    if match := _COMPARISON.fullmatch(text):
        return _COMPARE[match[2]], float(match[3])
    return None


def _number(value: object) -> object:
    if isinstance(value, str) and (match := _NUMBER.fullmatch(value.strip())):
        return float(match[0]) if match[2] or match[3] else _fitting(int(match[0]))
    return _fitting(value)


def _fitting(value: object) -> object:
    if isinstance(value, int) and value.bit_length() >= INT_BITS:
        return float(value)
    return value


def _first_complaint(message: str) -> str:
    """Return the parser's first complaint, without what it was given."""
    found = re.search(r"ERROR: <input>:\d+:(\d+): ([^\n]*)", message)
    return f"at character {found[1]}: {found[2]}" if found else "it cannot be parsed"
