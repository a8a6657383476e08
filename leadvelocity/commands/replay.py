"""`leadvelocity replay`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from leadvelocity.errors import WrongInput
from leadvelocity.options import (
    DirectoryOption,
    ModelOption,
    SettingsOption,
    json_text,
    moment_ms,
    say,
)
from leadvelocity.replaying import Replay, document, replay_events
from leadvelocity.scoring_model import load_model
from schemas.topics import SCORED_EVENTS
from scoring.event import Event
from scoring.model import Model
from sources.json_lines import BadLine, read_events

app = typer.Typer()


@app.command()
def replay(
    *,
    file: Annotated[Path | None, typer.Argument(help="JSON lines, as for `send`.")] = None,
    origin: Annotated[
        str | None, typer.Option("--from", help=f"Fold a topic instead: {SCORED_EVENTS}.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Fire timers up to this moment.")
    ] = None,
    partitions: Annotated[int, typer.Option("--partitions", min=1)] = 4,
    model: ModelOption = None,
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
) -> None:
    """Fold events offline: tier changes and final states, the same bytes every time."""
    until_ms = None if until is None else moment_ms(until)
    if (file is None) == (origin is None):
        raise WrongInput("give a file of JSON lines, or --from scored-events")
    if file is not None:
        replays = replay_events(_events(file), load_model(model), partitions=partitions)
    elif origin == SCORED_EVENTS:
        replays = _scored_events(directory, settings_file, model)
    else:
        raise WrongInput(f"--from {origin}: only {SCORED_EVENTS} can be folded")
    if until_ms is not None:
        for each in replays:
            each.fire_all(until_ms=until_ms)
    say(json_text(document(replays)))


def _events(file: Path) -> Iterator[Event]:
    try:
        with file.open("rb") as stream:
            for each in read_events(stream):
                if isinstance(each, BadLine):
                    raise WrongInput(f"{file}: {each}")
                yield each
    except OSError as error:
        raise WrongInput(f"{file}: {error.strerror}") from None


def _scored_events(
    directory: Path | None, settings_file: Path | None, model_file: Path | None
) -> list[Replay]:
    from leadvelocity.books import fold_scored_events  # noqa: PLC0415  # a file needs no Kafka
    from leadvelocity.context import open_settings  # noqa: PLC0415

    settings = open_settings(directory, settings_file)
    model: Model = load_model(model_file or settings.model)
    return fold_scored_events(settings, model).replays
