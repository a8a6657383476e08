"""`leadvelocity import access-log`."""

from pathlib import Path
from typing import Annotated

import typer

from leadvelocity.context import open_settings
from leadvelocity.errors import CommandFailed, WrongInput
from leadvelocity.options import (
    DirectoryOption,
    JsonOption,
    SettingsOption,
    json_text,
    progress,
    say,
)
from leadvelocity.sender import open_sender
from scoring.event import Event
from sources.access_log import Counts, Unparsable, read_log
from sources.salt import install_salt

UNPARSABLE_SHOWN_MAX = 20

app = typer.Typer()


@app.callback()
def import_() -> None:
    """Import what others recorded."""


@app.command("access-log")
def access_log(
    file: Annotated[Path, typer.Argument(help="A web server's log in the combined format.")],
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a web server's log as website visits, one pseudonymous lead per address and agent."""
    settings = open_settings(directory, settings_file)
    try:
        salt = install_salt((settings.state_dir or settings.directory) / "visitor-salt")
    except (OSError, ValueError) as error:
        raise CommandFailed(f"the secret that visitors' names are made with: {error}") from None
    counts = Counts()
    unparsable: list[Unparsable] = []
    try:
        with file.open("rb") as stream:
            sender = open_sender(settings)
            for each in read_log(stream, salt=salt, counts=counts):
                if isinstance(each, Event):
                    sender.send(each)
                elif isinstance(each, Unparsable) and len(unparsable) < UNPARSABLE_SHOWN_MAX:
                    unparsable.append(each)
                    progress(f"line {each.line}: {each.reason}: {each.text!r}")
            sender.finish()
    except OSError as error:
        raise WrongInput(f"{file}: {error.strerror}") from None
    _report(counts, unparsable, as_json=as_json)


def _report(counts: Counts, unparsable: list[Unparsable], *, as_json: bool) -> None:
    skipped = {reason.value: count for reason, count in sorted(counts.skipped.items())}
    summary = {
        "lines": counts.lines,
        "sent": counts.visits,
        "crawlers": counts.machines,
        "skipped": skipped,
        "unparsable": counts.unparsable,
    }
    if as_json:
        say(json_text({**summary, "unparsable_lines": unparsable}))
        return
    say(f"{counts.lines} lines")
    say(f"  {counts.visits} sent, of them {counts.machines} by crawlers")
    for reason, count in skipped.items():
        say(f"  {count} skipped: {reason}")
    say(f"  {counts.unparsable} unparsable")
