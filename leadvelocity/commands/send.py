"""`leadvelocity send`."""

import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from leadvelocity.context import open_settings
from leadvelocity.errors import WrongInput
from leadvelocity.options import (
    DirectoryOption,
    JsonOption,
    SettingsOption,
    json_text,
    progress,
    say,
)
from leadvelocity.sender import open_sender
from sources.json_lines import BadLine, read_events

REFUSED_SHOWN_MAX = 1_000
"""Refused lines that are told one by one; all are counted."""

app = typer.Typer()


@app.command()
def send(
    file: Annotated[str, typer.Argument(help="JSON lines; - is standard input.")] = "-",
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    *,
    as_json: JsonOption = True,  # noqa: ARG001  # what it prints is JSON anyhow
) -> None:
    """Send events, one JSON object a line; bad lines are named and left out.

    Prints how many were sent, and every line that was refused with its number, field and reason.
    Exits 2 if a line was refused.
    """
    settings = open_settings(directory, settings_file)
    refused: list[BadLine] = []
    refusals = sent = 0
    with ExitStack() as stack:
        try:
            stream = sys.stdin.buffer if file == "-" else stack.enter_context(open(file, "rb"))  # noqa: PTH123
        except OSError as error:
            raise WrongInput(f"{file}: {error.strerror}") from None
        sender = open_sender(settings)
        for each in read_events(stream):
            if isinstance(each, BadLine):
                refusals += 1
                if len(refused) < REFUSED_SHOWN_MAX:
                    refused.append(each)
                    progress(str(each))
            else:
                sender.send(each)
                sent += 1
        sender.finish()
    say(json_text({"sent": sent, "refusals": refusals, "refused": refused}, indent=None))
    if refusals:
        raise WrongInput(f"{refusals} lines were refused and not sent; correct and send them again")
