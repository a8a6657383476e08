"""`leadvelocity worker`."""

import typer

from leadvelocity.boot_checks import check_boot
from leadvelocity.context import open_settings
from leadvelocity.options import DirectoryOption, EndWithStdinOption, ModelOption, SettingsOption
from leadvelocity.parent import end_with_stdin
from leadvelocity.roles import run_worker
from leadvelocity.scoring_model import load_model

app = typer.Typer()


@app.command()
def worker(
    model: ModelOption = None,
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    *,
    with_stdin: EndWithStdinOption = False,
) -> None:
    """Score events until SIGTERM or Ctrl-C; any number of workers share the work."""
    if with_stdin:
        end_with_stdin()
    settings = open_settings(directory, settings_file)
    scoring_model = load_model(model or settings.model)
    check_boot(settings)
    run_worker(settings, scoring_model)
