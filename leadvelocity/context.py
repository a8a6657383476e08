"""Where the servers are: the local stack of a folder, or what the settings say."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from leadvelocity.errors import CommandFailed, WrongInput
from leadvelocity.settings import Settings, load_settings

if TYPE_CHECKING:
    from leadvelocity.stack.endpoints import Endpoints

STACK_FILE = "stack.json"


def open_settings(directory: Path | None, file: Path | None) -> Settings:
    """Return the settings, with the servers of the local stack where the folder holds one.

    Parameters
    ----------
    directory : Path or None
        None: the one of the settings.
    file : Path or None
        Settings file.

    Raises
    ------
    WrongInput
        Unknown settings, or neither a stack nor servers.
    CommandFailed
        The stack is stopped.
    """
    settings = load_settings(file)
    if directory is not None:
        settings = settings.model_copy(update={"directory": directory})
    if (settings.directory / STACK_FILE).exists():
        return with_stack(settings, _endpoints(settings.directory))
    missing = [
        name
        for name, value in (
            ("KAFKA__BOOTSTRAP_SERVERS", settings.kafka.bootstrap_servers),
            ("REGISTRY__URL", settings.registry.url),
            ("CLICKHOUSE__HOST", settings.clickhouse.host),
        )
        if not value
    ]
    if missing:
        raise WrongInput(
            f"there is no local stack in {settings.directory}, and the settings lack "
            f"{', '.join(f'LEADVELOCITY_{name}' for name in missing)}: run `leadvelocity stack up "
            f"--dir {settings.directory}`, or set them"
        )
    return settings


def with_stack(settings: Settings, endpoints: "Endpoints") -> Settings:
    """Return the settings with a stack's servers in the place of others."""
    clickhouse = endpoints.clickhouse
    return settings.model_copy(
        update={
            "kafka": type(settings.kafka)(bootstrap_servers=endpoints.kafka),
            "registry": type(settings.registry)(url=endpoints.registry),
            "clickhouse": type(settings.clickhouse)(
                host=clickhouse.host,
                port=clickhouse.port,
                user=clickhouse.user,
                password=SecretStr(clickhouse.password),
                database=clickhouse.database,
            ),
        }
    )


def _endpoints(directory: Path) -> "Endpoints":
    try:  # only here: a worker in production has none of the stack's packages
        module = import_module("leadvelocity.stack.stack")
    except ModuleNotFoundError as error:
        raise CommandFailed(
            f"{directory} holds a local stack, but {error.name} is not installed: "
            "install leadvelocity[local], or give another --dir"
        ) from None
    stack = module.Stack(directory)
    if not any(each.state == "running" for each in stack.status()):
        raise CommandFailed(
            f"the local stack in {directory} is stopped: run `leadvelocity stack up "
            f"--dir {directory}`"
        )
    endpoints: Endpoints = stack.endpoints()
    return endpoints
