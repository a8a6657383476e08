"""The command `leadvelocity`; each command is a module, imported when it is called."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from leadvelocity import __version__
from leadvelocity.compiled import compiled_modules, said_of
from leadvelocity.errors import CommandError

COMMANDS = {
    "demo": "Run everything here: local stack, worker, sink, and lifelike traffic.",
    "stack": "The local stack: real Kafka, schema registry and ClickHouse, in the background.",
    "setup": "Create topics, register schemas, migrate ClickHouse; does nothing twice.",
    "worker": "Score events until stopped; any number of workers share the work.",
    "sink": "Write the output topics into ClickHouse until stopped.",
    "send": "Send events, one JSON object a line.",
    "import": "Import what others recorded, such as a web server's access log.",
    "lead": "Explain a lead's score at any moment.",
    "replay": "Fold events offline: the same tier changes, the same bytes every time.",
    "model": "Check a scoring model, or print the JSON Schema of model files.",
    "sql": "Ask ClickHouse.",
}

_MODULES = {
    "stack": "leadvelocity.stack.commands",
    "import": "leadvelocity.commands.import_log",
}

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is called, so that help is quick."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command in the place of its line of help."""
        name = args[0]
        if name in COMMANDS:
            module = import_module(_MODULES.get(name, f"leadvelocity.commands.{name}"))
            command = typer.main.get_command(module.app)
            command.name = name
            self.add_command(command, name)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="leadvelocity",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Scores every lead on every event, exactly once, and says why.",
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"leadvelocity {__version__}, {said_of(compiled_modules())}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_say_version,
            is_eager=True,
            help="Print it, and whether it runs compiled.",
        ),
    ] = False,
) -> None:
    """Stand before every command."""


def _line_of_help() -> None:
    """Stand for a command whose module is not imported yet."""


for _name, _help in COMMANDS.items():
    app.command(_name, help=_help)(_line_of_help)


def main() -> None:
    """Run the command line; exits 0 when done, 1 when something failed, 2 on wrong input."""
    try:
        compiled_modules()  # refuses stale ones
        app()
    except CommandError as error:
        sys.stderr.write(f"leadvelocity: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if not isinstance(error, _failures_outside()):
            raise
        sys.stderr.write(f"leadvelocity: {error}\n")
        sys.exit(1)


def _failures_outside() -> tuple[type[Exception], ...]:
    """Return the errors that servers cause; what they say is enough, a traceback adds nothing."""
    names = (
        ("sinks.port", "SinkError"),
        ("schemas.registry", "RegistryError"),
        ("streams.exits", "EngineError"),
    )
    return tuple(getattr(import_module(module), name) for module, name in names)
