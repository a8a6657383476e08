"""`leadvelocity setup`."""

import typer

from leadvelocity.context import open_settings
from leadvelocity.options import DirectoryOption, ModelOption, SettingsOption, progress
from leadvelocity.provision import Progress, provision_topics, register_contracts
from leadvelocity.roles import clickhouse_of, registry_of
from leadvelocity.scoring_model import load_model
from leadvelocity.settings import Settings
from scoring.model import Model
from sinks.migrate import migrate
from sinks.models import publish_model

app = typer.Typer()


@app.command()
def setup(
    directory: DirectoryOption = None,
    settings_file: SettingsOption = None,
    model: ModelOption = None,
) -> None:
    """Create topics, register schemas, migrate ClickHouse; does nothing twice."""
    settings = open_settings(directory, settings_file)
    set_up(settings, load_model(model or settings.model), progress)
    progress("ready: start `leadvelocity worker` and `leadvelocity sink`")


def set_up(settings: Settings, model: Model, progress: Progress) -> None:
    """Make all that the pipeline stands on; what is there already is left as it is."""
    made = provision_topics(settings, progress)
    if not made:
        progress("topics are as they should be")
    register_contracts(registry_of(settings), progress)
    clickhouse = clickhouse_of(settings)
    applied = migrate(clickhouse, progress=lambda name: progress(f"clickhouse {name}"))
    if not applied:
        progress("clickhouse is up to date")
    publish_model(clickhouse, model)
