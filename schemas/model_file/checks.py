"""What a model file must keep beyond its shape; each check reads what it can of plain data."""

from collections.abc import Iterator

from pydantic_core import PydanticCustomError

from schemas.model_file.document import Document
from schemas.model_file.durations import duration_ms
from schemas.model_file.problems import Path

Entry = tuple[Path, dict[str, object]]


def check(document: Document) -> None:
    """Report what the parts of a file have against each other.

    Parameters
    ----------
    document : Document
        Its data need not have the right shape: what has not is passed over.
    """
    data = document.data
    if not isinstance(data, dict):
        return
    signals, tiers = list(_entries(data, "signals")), list(_entries(data, "tiers"))
    _check_names(document, signals)
    _check_names(document, tiers)
    _check_half_lives(document, data, signals)
    _check_groups(document, data, signals)
    _check_lowest(document, tiers)
    _check_thresholds(document, tiers)
    _check_velocity(document, data)


def _entries(data: dict[str, object], key: str) -> Iterator[Entry]:
    items = data.get(key)
    for place, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (key, place), item


def _check_names(document: Document, entries: list[Entry]) -> None:
    seen: dict[str, Path] = {}
    for path, entry in entries:
        name = entry.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            line = document.line((*seen[name], "name"))
            document.report(
                (*path, "name"), f"{name!r} is already in line {line}", "give it a name of its own"
            )
        seen.setdefault(name, path)


def _check_half_lives(document: Document, data: dict[str, object], signals: list[Entry]) -> None:
    if data.get("half_life") is not None:
        return
    for path, signal in signals:
        if signal.get("half_life") is None:
            document.report(
                (*path, "half_life"),
                "neither the signal nor the file has a half_life",
                "add one here, or for all signals at the top: `half_life: 7d`",
            )


def _check_groups(document: Document, data: dict[str, object], signals: list[Entry]) -> None:
    groups = data.get("groups")
    if not isinstance(groups, dict):
        return
    for path, signal in signals:
        group = signal.get("group")
        if isinstance(group, str) and group not in groups:
            document.report(
                (*path, "group"),
                f"there is no group {group!r}",
                f"add `{group}: {{}}` to groups, or use one of: {', '.join(groups) or 'none yet'}",
            )


def _check_lowest(document: Document, tiers: list[Entry]) -> None:
    for place, (path, tier) in enumerate(tiers):
        lowest = place == len(tiers) - 1
        for key in ("enter", "exit"):
            if lowest and tier.get(key) is not None:
                document.report(
                    (*path, key),
                    f"the lowest tier has no {key}: leads start there",
                    "leave it out, or add a tier below",
                )
            elif not lowest and tier.get(key) is None:
                document.report(
                    (*path, key),
                    f"is missing: only the lowest tier, the last one, has no {key}",
                    "write the score: `enter: 30, exit: 25`",
                )


def _check_thresholds(document: Document, tiers: list[Entry]) -> None:
    hotter: dict[str, float] = {}
    for path, tier in tiers[:-1]:
        enter, leave = _number(tier.get("enter")), _number(tier.get("exit"))
        if enter is not None and leave is not None and leave > enter:
            document.report(
                (*path, "exit"),
                f"{leave:g} is above the tier's enter, {enter:g}: who enters would fall at once",
                f"use {enter:g} or less",
            )
        if enter is not None:
            if enter >= hotter.get("enter", float("inf")):
                document.report(
                    (*path, "enter"),
                    f"{enter:g} is not below that of the tier before it, {hotter['enter']:g}",
                    "list the hottest tier first, each with a lower enter",
                )
            hotter["enter"] = enter
        if leave is not None:
            if leave > hotter.get("exit", float("inf")):
                document.report(
                    (*path, "exit"),
                    f"{leave:g} is above that of the tier before it, {hotter['exit']:g}",
                    "list the hottest tier first, none with a higher exit",
                )
            hotter["exit"] = leave


def _check_velocity(document: Document, data: dict[str, object]) -> None:
    velocity = data.get("velocity")
    if not isinstance(velocity, dict):
        return
    try:
        fast_ms = duration_ms(velocity.get("fast", "1d"))
        slow_ms = duration_ms(velocity.get("slow", "14d"))
    except PydanticCustomError:
        return  # reported by shape
    if fast_ms >= slow_ms:
        document.report(
            ("velocity",),
            "fast is not shorter than slow, so momentum says nothing",
            "use some hours or days for fast, and weeks for slow",
        )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
