"""`leadvelocity worker`."""

import typer

from leadvelocity.boot_checks import check_boot
from leadvelocity.context import open_settings
from leadvelocity.options import DirectoryOption, ModelOption, SettingsOption
from leadvelocity.roles import run_worker
from leadvelocity.scoring_model import load_model

app = typer.Typer()


@app.command()
def worker(
    model: ModelOption = None,
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
) -> None:
    """Score events until SIGTERM or Ctrl-C; any number of workers share the work."""
    settings = open_settings(directory, settings_file)
    scoring_model = load_model(model or settings.model)
    check_boot(settings)
    run_worker(settings, scoring_model)
