"""The servers of a measurement: a stack of the product's own kind, in a folder of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import cores
from bench.engines.ours import SMALL_MODEL
from bench.inputs import Progress
from leadvelocity.commands.setup import set_up
from leadvelocity.context import with_stack
from leadvelocity.scoring_model import load_model
from leadvelocity.settings import Settings, load_settings
from leadvelocity.stack.stack import Stack


@contextmanager
def servers(directory: Path, progress: Progress) -> Iterator[Settings]:
    """Start an empty stack and set it up; stop and delete it at the end.

    Yields
    ------
    Settings
        Of the stack.
    """
    stack = Stack(directory)
    if (directory / "stack.json").exists():
        stack.wipe(progress)
    shutil.rmtree(directory / "runs", ignore_errors=True)
    try:
        endpoints = stack.up(progress)
        settings = load_settings().model_copy(update={"directory": directory.absolute()})
        settings = with_stack(settings, endpoints)
        set_up(settings, load_model(SMALL_MODEL), lambda _: None)
        yield settings
    finally:
        stack.wipe(progress)


def place(settings: Settings, on: frozenset[int]) -> None:
    """Keep the running servers, and this program, on some cores."""
    for part in Stack(settings.directory).status():
        if part.pid is not None:
            cores.move(part.pid, on)
    cores.move(os.getpid(), on)
