"""`leadvelocity sql`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory
from rich.console import Console
from rich.table import Table

from leadvelocity.context import open_settings
from leadvelocity.errors import WrongInput
from leadvelocity.options import DirectoryOption, JsonOption, SettingsOption, json_text, plain, say
from leadvelocity.roles import clickhouse_of
from sinks.client import Answer, ClickHouse, QueryRefused, query

ROWS_SHOWN_MAX = 1_000
"""Rows of a table for people; `--json` prints all."""

app = typer.Typer()


@app.command()
def sql(
    text: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="One query; none: a prompt.")
    ] = None,
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask ClickHouse: one query, or a prompt."""
    settings = open_settings(directory, settings_file)
    clickhouse = clickhouse_of(settings)
    if text is None and sys.stdin.isatty():
        _prompt(clickhouse, settings.directory, as_json=as_json)
        return
    try:
        _show(query(clickhouse, sys.stdin.read() if text is None else text), as_json=as_json)
    except QueryRefused as error:
        raise WrongInput(f"ClickHouse refuses the query: {error}") from None


def _prompt(clickhouse: ClickHouse, directory: Path, *, as_json: bool) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    session: PromptSession[str] = PromptSession(history=FileHistory(str(directory / "sql-history")))
    say("A query and Enter; Ctrl-D leaves. Try: SELECT * FROM hot_leads_now LIMIT 10")
    while True:
        try:
            text = session.prompt("sql> ").strip()
            if text:
                _show(query(clickhouse, text), as_json=as_json)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        except QueryRefused as error:
            say(f"ClickHouse refuses it: {error}")


def _show(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        say(json_text(answer.as_objects()))
        return
    if not answer.columns:
        return
    table = Table(*answer.columns)
    for row in answer.rows[:ROWS_SHOWN_MAX]:
        table.add_row(*map(_cell, row))
    Console().print(table)
    left = len(answer.rows) - ROWS_SHOWN_MAX
    if left > 0:
        say(f"and {left} rows more; --json prints all")


def _cell(value: Any) -> str:
    value = plain(value)
    return value if isinstance(value, str) else json_text(value, indent=None)
