"""`leadvelocity sink`."""

import signal

import typer

from leadvelocity.boot_checks import check_boot
from leadvelocity.context import open_settings
from leadvelocity.options import DirectoryOption, EndWithStdinOption, SettingsOption
from leadvelocity.parent import end_with_stdin
from leadvelocity.roles import run_sink
from leadvelocity.source_check import require_same_topics

app = typer.Typer()


@app.command()
def sink(
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    *,
    with_stdin: EndWithStdinOption = False,
) -> None:
    """Write the output topics into ClickHouse until SIGTERM or Ctrl-C."""
    signal.signal(signal.SIGTERM, _leave)  # until the engine takes it: the checks may wait long
    if with_stdin:
        end_with_stdin()
    settings = open_settings(directory, settings_file)
    check_boot(settings)
    require_same_topics(settings)
    run_sink(settings)


def _leave(*_: object) -> None:
    raise SystemExit(0)
