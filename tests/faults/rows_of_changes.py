"""Tier changes as blocks, and what ClickHouse shows of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from schemas.contracts import contract
from schemas.topics import TIER_CHANGES
from sinks.port import Block, Collected
from sinks.rows import block_of

NOW_MS = 1_760_000_000_000

Ask = Callable[[str], Sequence[Sequence[Any]]]
Exact = Callable[..., None]
"""Holds the rows of a sink against what was written, and writes a line of the table."""


def plain_change() -> dict[str, Any]:
    """A tier change that tells nothing: every field of the contract, the optional ones empty."""
    plain: dict[str, Any] = {"string": "x", "int": 1, "long": 1, "double": 0.5}
    record: dict[str, Any] = {}
    for each in contract(TIER_CHANGES).schema["fields"]:
        kind = each["type"]
        if isinstance(kind, list):
            record[each["name"]] = None
        elif isinstance(kind, dict):
            record[each["name"]] = [] if kind["type"] == "array" else NOW_MS
        else:
            record[each["name"]] = plain[kind]
    return record


def change(offset: int, *, lead_id: str | None = None) -> dict[str, Any]:
    """A tier change that tells its offset."""
    name = lead_id or f"lead-{offset % 17}"
    return plain_change() | {"lead_id": name, "seq": offset, "reason": "event"}


def block(offsets: Iterable[int], *, partition: int = 0) -> Block:
    """A block of tier changes."""
    places = list(offsets)
    return block_of(TIER_CHANGES, partition, places, [change(each) for each in places])


def collected(*blocks: Block) -> Collected:
    """Blocks as an agent hands them over."""
    return Collected(rejected=(), blocks=blocks, complete=True)


def books(ask: Ask, *, partition: int = 0) -> dict[str, Any]:
    """What ClickHouse shows of a partition, and what it must not."""
    [[rows, distinct, wrong, first, last]] = ask(
        "SELECT count(), uniqExact(source_offset), countIf(seq != source_offset),"
        " min(source_offset), max(source_offset)"
        f" FROM tier_changes FINAL WHERE source_partition = {partition}"
    )
    [[rejected]] = ask("SELECT count() FROM rejected_rows")
    return {
        "rows": rows,
        "distinct": distinct,
        "wrong": wrong,
        "first": first,
        "last": last,
        "rejected": rejected,
    }


def balanced(rows: int) -> dict[str, int]:
    """What `books` must be for the offsets 0 to `rows` - 1."""
    return {
        "rows": rows,
        "distinct": rows,
        "wrong": 0,
        "first": 0,
        "last": rows - 1,
        "rejected": 0,
    }
