"""`leadvelocity demo`."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from leadvelocity.errors import CommandFailed, WrongInput
from leadvelocity.options import (
    DirectoryOption,
    ModelOption,
    SettingsOption,
    json_text,
    progress,
    say,
)
from leadvelocity.scoring_model import load_model
from leadvelocity.settings import load_settings

UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3_600}

app = typer.Typer()


@app.command()
def demo(
    *,
    duration: Annotated[
        str | None,
        typer.Option("--for", help="Seconds of traffic (20s, 5m); none: until Ctrl-C."),
    ] = None,
    leads: Annotated[int, typer.Option(min=1)] = 500,
    rate: Annotated[float, typer.Option(min=1, help="Events a second.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Of the traffic.")] = 7,
    model: ModelOption = None,
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the summary here too.")
    ] = None,
) -> None:
    """Run everything on this machine: local stack, worker, sink, and lifelike traffic.

    Ends with a summary, and with exit code 0 only if the books balance. Ctrl-C ends the traffic;
    again, it stops at once. A second run goes on with the data of the first.
    """
    for_s = None if duration is None else seconds(duration)
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise WrongInput(
            f"--json {json_file}: there is no folder {json_file.parent}; make it first"
        )
    try:
        from leadvelocity.demo.run import Plan, run_demo  # noqa: PLC0415  # needs the stack's packages
        from leadvelocity.demo.summary import as_text  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise CommandFailed(f"{error.name} is missing: install leadvelocity[local]") from None
    settings = load_settings(settings_file)
    if directory is not None:
        settings = settings.model_copy(update={"directory": directory})
    model_file = model or settings.model
    plan = Plan(
        settings=settings,
        model=load_model(model_file),
        model_file=model_file,
        for_s=for_s,
        leads=leads,
        rate=rate,
        seed=seed,
    )
    summary = run_demo(plan, Console(), progress)
    if json_file is not None:
        json_file.write_text(json_text(summary) + "\n", encoding="utf-8")
    say(as_text(summary))
    if not summary["balanced"]:
        raise CommandFailed("the books do not balance")


def seconds(text: str) -> float:
    """Read a duration.

    Raises
    ------
    WrongInput
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None:
        raise WrongInput(f"--for {text}: write it like 20s, 5m or 1h")
    return float(match[1]) * UNITS_S[match[2]]
