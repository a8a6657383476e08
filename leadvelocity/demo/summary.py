"""What the demo says at the end."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from leadvelocity.books import Books, differences
from leadvelocity.roles import clickhouse_of
from leadvelocity.settings import Settings
from schemas.topics import OUTPUT_TOPICS
from scoring.outcome import Outcome
from sinks.client import query
from sinks.rows import table_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What this run alone did.

    Parameters
    ----------
    latencies_ms : list of int
        From append to visible tier change.
    """

    sent: int
    seconds: float
    tier_changes: dict[str, int]
    latencies_ms: list[int]


def summarise(settings: Settings, books: Books, run: Run) -> dict[str, Any]:
    """Return the summary: the books since the folder's beginning, and this run.

    Raises
    ------
    SinkUnavailable
    """
    found = differences(books)
    return {
        "sent": books.sent,
        **{each.value: books.outcomes.get(each, 0) for each in Outcome},
        "dead_lettered": books.dead_lettered,
        "tier_changes": dict(books.moves),
        "clickhouse_rows": rows_of_tables(settings),
        "latency_ms": {
            "p50": quantile(run.latencies_ms, 0.5),
            "p99": quantile(run.latencies_ms, 0.99),
        },
        "balanced": not found,
        "differences": found,
        "this_run": {
            "sent": run.sent,
            "seconds": round(run.seconds, 1),
            "tier_changes": run.tier_changes,
            "latencies": len(run.latencies_ms),
        },
    }


def rows_of_tables(settings: Settings) -> dict[str, int]:
    """Return how many rows each table holds, each record once.

    Raises
    ------
    SinkUnavailable
    """
    clickhouse = clickhouse_of(settings)
    tables = [table_of(topic) for topic in OUTPUT_TOPICS]
    return {
        table: int(query(clickhouse, f"SELECT count() FROM {table} FINAL").rows[0][0])  # noqa: S608  # our tables
        for table in sorted(tables)
    }


def quantile(values: list[int], share: float) -> int | None:
    """Return the smallest value that `share` of all values do not exceed; None of none."""
    return sorted(values)[ceil(share * len(values)) - 1] if values else None


def as_text(summary: dict[str, Any]) -> str:
    """Return the summary for people."""
    latency = summary["latency_ms"]
    moves = ", ".join(f"{move} {count:,}" for move, count in summary["tier_changes"].items())
    rows = ", ".join(f"{table} {count:,}" for table, count in summary["clickhouse_rows"].items())
    lines = [
        f"sent           {summary['sent']:,} ({summary['this_run']['sent']:,} in this run)",
        f"scored         {summary['scored']:,}",
        f"unmatched      {summary['unmatched']:,}",
        f"doubled        {summary['doubled']:,}",
        f"dead-lettered  {summary['dead_lettered']:,}",
        f"forwarded      {summary['forwarded']:,} (each counted at its owner)",
        f"tier changes   {moves or 'none'}",
        f"rows           {rows}",
        f"append to visible tier change: p50 {latency['p50']} ms, p99 {latency['p99']} ms",
    ]
    if summary["balanced"]:
        lines.append("the books balance: topics, ClickHouse and an offline fold agree")
    else:
        lines += [f"THE BOOKS DIFFER: {each}" for each in summary["differences"]]
    return "\n".join(lines)
