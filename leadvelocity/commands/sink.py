"""`leadvelocity sink`."""

import typer

from leadvelocity.boot_checks import check_boot
from leadvelocity.context import open_settings
from leadvelocity.options import DirectoryOption, SettingsOption
from leadvelocity.roles import run_sink

app = typer.Typer()


@app.command()
def sink(directory: DirectoryOption = None, settings_file: SettingsOption = None) -> None:
    """Write the output topics into ClickHouse until SIGTERM or Ctrl-C."""
    settings = open_settings(directory, settings_file)
    check_boot(settings)
    run_sink(settings)
