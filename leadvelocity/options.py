"""Options that commands share, and what they stand for."""

import json
import sys
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from leadvelocity.errors import WrongInput

DirectoryOption = Annotated[
    Path | None,
    typer.Option("--dir", help="Folder of the local stack.", show_default=".leadvelocity"),
]
SettingsOption = Annotated[
    Path | None,
    typer.Option("--settings", help="TOML or YAML file; LEADVELOCITY_* variables win over it."),
]
ModelOption = Annotated[
    Path | None, typer.Option("--model", help="Scoring model.", show_default="the one that ships")
]
EndWithStdinOption = Annotated[
    bool, typer.Option("--end-with-stdin", hidden=True, help="Stop when standard input ends.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(text: str) -> None:
    """Print one line of a result."""
    sys.stdout.write(f"{text}\n")


def progress(text: str) -> None:
    """Print one line about work under way, where it does not mix with results."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Return plain data and our values as JSON; keys sorted, so equal data are equal bytes.

    Parameters
    ----------
    value : object
        Of dicts, lists, scalars, enums and our own values.
    indent : int or None
        None: on one line.
    """
    return json.dumps(plain(value), indent=indent, sort_keys=True, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Return a value as JSON's own types; infinity, which JSON lacks, as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def moment_ms(text: str) -> int:
    """Read a moment: ISO 8601 (UTC where it names no zone) or epoch milliseconds.

    Raises
    ------
    WrongInput
    """
    try:
        if text.lstrip("-").isdigit():
            return int(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongInput(
            f"{text!r} is no moment: write it like 2026-11-23T10:00:00Z, or as epoch milliseconds"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def moment_text(at_ms: int | None) -> str:
    """Return a moment for people, in UTC."""
    if at_ms is None:
        return "never"
    try:
        moment = datetime.fromtimestamp(at_ms // 1_000, UTC)
    except (ValueError, OverflowError):
        return f"{at_ms} ms after 1970"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at_ms % 1_000:03d}Z"
