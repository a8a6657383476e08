"""Durations as people write them: ``7d``, ``12 h``, ``500ms``."""

import re
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

UNITS_MS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}
DURATION_MS_MAX = 36_500 * UNITS_MS["d"]
"""A hundred years; more is a slip of the pen."""

_PATTERN = re.compile(r"([0-9]{1,15}) ?(ms|[smhdw])", re.ASCII)
_CURE = "write a whole number and a unit: 500ms, 10s, 30m, 12h, 7d or 2w"


def duration_ms(value: object) -> int:
    """Return a duration in milliseconds.

    Parameters
    ----------
    value : object
        As YAML gave it.

    Returns
    -------
    int
        0 to `DURATION_MS_MAX`.

    Raises
    ------
    PydanticCustomError
        If it is none, with a cure.

    Examples
    --------
    >>> duration_ms("30m")
    1800000
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise _error(f"{value} has no unit")
    match = _PATTERN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _error(f"{value!r:.60} is no duration")
    span_ms = int(match[1]) * UNITS_MS[match[2]]
    if span_ms > DURATION_MS_MAX:
        raise PydanticCustomError(
            "duration", "{text} is longer than a hundred years", {"text": value, "cure": _CURE}
        )
    return span_ms


def half_life_ms(value: object) -> int:
    """Return a half-life in milliseconds: a duration above 0."""
    span_ms = duration_ms(value)
    if span_ms == 0:
        raise PydanticCustomError(
            "half_life", "a half-life of 0 is none", {"cure": "write the time to lose half: 7d"}
        )
    return span_ms


def _error(message: str) -> PydanticCustomError:
    return PydanticCustomError("duration", "{text}", {"text": message, "cure": _CURE})


_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": f"^{_PATTERN.pattern}$",
        "description": "A whole number and a unit: ms, s, m, h, d or w",
        "examples": ["7d", "12h"],
    }
)
Duration = Annotated[int, PlainValidator(duration_ms), _SCHEMA]
HalfLife = Annotated[int, PlainValidator(half_life_ms), _SCHEMA]
