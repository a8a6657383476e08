"""`leadvelocity stack`: the local stack from the command line."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leadvelocity.errors import CommandFailed

try:
    from leadvelocity.stack.stack import Stack
    from leadvelocity.stack.status import PartStatus
except ModuleNotFoundError as missing:
    raise CommandFailed(
        f"the local stack needs {missing.name}: pip install 'leadvelocity[local]'"
    ) from missing

app = typer.Typer(
    help="The local stack: real Kafka, schema registry and ClickHouse, in the background.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Option("--dir", help="Folder of the stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_DEFAULT = Path(".leadvelocity")
_MB = 1_000_000


@app.command()
def up(
    directory: Folder = _DEFAULT,
    *,
    new_ports: Annotated[
        bool, typer.Option("--new-ports", help="Choose other ports; restarts the parts.")
    ] = False,
    as_json: AsJson = True,  # noqa: ARG001  # what it prints is JSON anyhow
) -> None:
    """Start what does not run; return when all three answer, and print where they are."""
    endpoints = Stack(directory).up(_progress, new_ports=new_ports)
    typer.echo(json.dumps(endpoints.as_json()))


@app.command()
def status(directory: Folder = _DEFAULT, *, as_json: AsJson = False) -> None:
    """Tell how each part is."""
    parts = Stack(directory).status()
    if as_json:
        typer.echo(json.dumps({part.name: asdict(part) for part in parts}))
    else:
        for part in parts:
            typer.echo(_line(part))


@app.command()
def down(directory: Folder = _DEFAULT, *, as_json: AsJson = False) -> None:
    """Stop all parts; their data stays."""
    Stack(directory).down(_progress)
    _done("stopped", as_json=as_json)


@app.command()
def wipe(directory: Folder = _DEFAULT, *, as_json: AsJson = False) -> None:
    """Stop all parts and delete their data."""
    Stack(directory).wipe(_progress)
    _done("wiped", as_json=as_json)


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _line(part: PartStatus) -> str:
    process = f"process {part.pid}" if part.pid else ""
    memory = f"{part.memory_bytes // _MB} MB" if part.memory_bytes else ""
    return f"{part.name:<10}  {part.state:<7}  port {part.port}  {process}  {memory}".rstrip()


def _done(word: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"state": word}))
