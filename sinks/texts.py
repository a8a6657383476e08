"""Scalars as the texts that ClickHouse's maps hold, and back."""

from collections.abc import Mapping

Scalar = str | float | bool | None


def text_of(value: Scalar) -> str | None:
    """Return a scalar as text: JSON's for numbers and truth values, a string as it is."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def scalar_of(text: str | None) -> Scalar:
    """Return what a text reads as: numbers and truth values are told by their look alone."""
    if text in ("true", "false"):
        return text == "true"
    if text is None:
        return None
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if repr(value) == text else text
    return text


def misread_names(fields: Mapping[str, Scalar]) -> list[str]:
    """Return the names of strings that would read as a number or a truth value, in order."""
    return sorted(
        name
        for name, value in fields.items()
        if isinstance(value, str) and not isinstance(scalar_of(value), str)
    )
