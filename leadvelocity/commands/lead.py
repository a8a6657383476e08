"""`leadvelocity lead`."""

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from leadvelocity.context import open_settings
from leadvelocity.errors import CommandFailed
from leadvelocity.explaining import History, history_of
from leadvelocity.options import (
    DirectoryOption,
    JsonOption,
    ModelOption,
    SettingsOption,
    json_text,
    moment_ms,
    moment_text,
    say,
)
from leadvelocity.replaying import change_row
from leadvelocity.roles import clickhouse_of
from leadvelocity.scoring_model import load_model
from scoring.explanation import Explanation

LAST_CHANGES = 10
UNITS_MS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))

app = typer.Typer()


@app.command()
def lead(
    *,
    lead_id: Annotated[str, typer.Argument(metavar="ID")],
    at: Annotated[
        str | None, typer.Option("--at", help="A past or future moment.", show_default="now")
    ] = None,
    model: ModelOption = None,
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a lead's score: what gave how many points, what has decayed, and since when."""
    at_ms = time.time_ns() // 1_000_000 if at is None else moment_ms(at)
    settings = open_settings(directory, settings_file)
    scoring_model = load_model(model or settings.model)
    history = history_of(clickhouse_of(settings), scoring_model, lead_id, at_ms=at_ms)
    if history is None:
        raise CommandFailed(
            f"no lead {lead_id!r}: no event of it has been stored; see that the sink runs, or see "
            "which there are with `leadvelocity sql 'TABLE leads_now'`"
        )
    if history.explanation is None:
        raise CommandFailed(
            f"lead {lead_id!r} was not known at {moment_text(at_ms)}: its first event was at "
            f"{moment_text(history.first_ms)}"
        )
    if as_json:
        changes = [change_row(each) for each in history.changes]
        say(json_text({"explanation": history.explanation, "tier_changes": changes}))
    else:
        _print(history, history.explanation)


def _print(history: History, explained: Explanation) -> None:
    console = Console(highlight=False)
    score = explained.score
    console.print(
        f"{explained.lead_id} at {moment_text(explained.at_ms)}: score {score.total:.2f} = "
        f"engagement {score.engagement:.2f} + fit {score.fit:.2f} + purchase {score.purchase:.2f}"
    )
    console.print(
        f"tier {explained.tier} since {moment_text(explained.since_ms)}; changes by time alone: "
        f"{moment_text(explained.cools_at_ms)}"
    )
    console.print(
        f"velocity {explained.velocity:+.2f} points a day, momentum {explained.momentum:+.2f}"
    )
    console.print(_signals(explained))
    for each in explained.groups:
        if each.cap is not None:
            taken = each.points - each.capped_points
            console.print(
                f"group {each.group}: {each.capped_points:.2f} of {each.cap:g}"
                f"{f', {taken:.2f} above its cap' if taken > 0 else ''}"
            )
    for fit in explained.fit:
        if fit.holds:
            console.print(f"fit {fit.points:+g}: {fit.condition}", markup=False)
    for change in history.changes[-LAST_CHANGES:]:
        console.print(
            f"{moment_text(change.occurred_at_ms)}  {change.from_tier} → {change.to_tier}  "
            f"{change.score.total:.2f} ({change.reason.value})"
        )
    console.print(f"model {explained.model}, version {explained.model_version}")


def _signals(explained: Explanation) -> Table:
    table = Table("signal", "count", "points", "share", "decayed", "half-life", "cap", "last event")
    for each in explained.signals:
        table.add_row(
            each.signal,
            f"{each.count:.2f}",
            f"{each.capped_points:.2f}",
            f"{each.share:.0%}",
            f"{each.decayed_points:.2f}",
            _duration(each.half_life_ms),
            "none" if each.cap is None else f"{each.cap:g}",
            moment_text(each.latest_ms),
        )
    return table


def _duration(length_ms: int) -> str:
    for unit_ms, name in UNITS_MS:
        if length_ms >= unit_ms:
            return f"{length_ms / unit_ms:g}{name}"
    return f"{length_ms}ms"
