"""The demo from beginning to end; whatever happens, what it started is stopped."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any

from rich.console import Console

from leadvelocity.books import take_books
from leadvelocity.commands.setup import set_up
from leadvelocity.context import with_stack
from leadvelocity.demo.children import Children
from leadvelocity.demo.follower import Follower
from leadvelocity.demo.generator import Traffic
from leadvelocity.demo.lag import LagWatch, is_folded, is_stored
from leadvelocity.demo.summary import Run, summarise
from leadvelocity.demo.traffic import Sending, Sent, clock_ms
from leadvelocity.demo.view import View
from leadvelocity.errors import CommandFailed
from leadvelocity.kafka import is_group_stable
from leadvelocity.sender import open_sender
from leadvelocity.settings import Settings
from leadvelocity.stack.stack import Stack
from scoring.model import Model

SETTLE_S_MAX = 180.0
"""How long worker and sink may take to finish what was sent."""

START_S_MAX = 60.0
"""How long the worker may take to be given its partitions."""

LOOK_EVERY_S = 0.25

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the demo is asked to do.

    Parameters
    ----------
    model, model_file
        What the file holds, and the file, for the worker; None: the model that ships.
    for_s : float or None
        How long traffic runs; None: until Ctrl-C.
    rate : float
        Events a second.
    """

    settings: Settings
    model: Model
    model_file: Path | None
    for_s: float | None
    leads: int
    rate: float
    seed: int


def run_demo(plan: Plan, console: Console, progress: Progress) -> dict[str, Any]:
    """Run the demo and return its summary.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C before the traffic, or again after it.
    CommandFailed, StackError
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cleanup = ExitStack()
    try:
        return _run(plan, console, progress, cleanup)
    finally:
        with _undisturbed():
            cleanup.close()


def _run(plan: Plan, console: Console, progress: Progress, cleanup: ExitStack) -> dict[str, Any]:
    settings = _stack_up(plan.settings, cleanup, progress)
    set_up(settings, plan.model, progress)
    sender = open_sender(settings)
    follower = Follower(settings)
    cleanup.callback(follower.stop)
    follower.start()
    children = Children(settings.directory / "logs")
    cleanup.callback(children.stop)
    _start_roles(children, settings, plan.model_file)
    progress("worker and sink are starting")
    _wait(
        "worker",
        lambda: is_group_stable(settings.kafka.connection(), settings.engine.app_id),
        children,
        START_S_MAX,
    )
    progress("traffic begins")
    lag = LagWatch(settings)
    cleanup.callback(lag.stop)
    lag.start()
    sent = Sending(
        lag=lag,
        sender=sender,
        follower=follower,
        children=children,
        traffic=Traffic(seed=plan.seed, leads=plan.leads, start_ms=clock_ms()),
        rate=plan.rate,
        for_s=plan.for_s,
    ).run(View(console))
    progress(f"{sent.records:,} sent; waiting until all of it is scored and stored")
    _settle(settings, children, progress)
    follower.stop()
    progress("doing the books")
    return summarise(settings, take_books(settings, plan.model), _this_run(sent, follower))


def _stack_up(settings: Settings, cleanup: ExitStack, progress: Progress) -> Settings:
    """Bring the stack up, and down at the end unless parts of it were running before."""
    stack = Stack(settings.directory)
    started: list[str] = []

    def down() -> None:
        if started and len(started) == len(stack.status()):
            stack.down(progress)

    cleanup.callback(down)
    return with_stack(settings, stack.up(progress, started=started.append))


def _start_roles(children: Children, settings: Settings, model_file: Path | None) -> None:
    place = ("--dir", str(settings.directory))
    model = () if model_file is None else ("--model", str(model_file))
    children.start("worker", "worker", *place, *model)
    children.start("sink", "sink", *place)


def _settle(settings: Settings, children: Children, progress: Progress) -> None:
    """Let the worker finish, stop it, let the sink finish, and stop that."""
    _wait("worker", lambda: is_folded(settings), children, SETTLE_S_MAX)
    children.stop("worker")
    progress("all is scored; the worker has stopped")
    _wait("sink", lambda: is_stored(settings), children, SETTLE_S_MAX)
    children.stop("sink")
    progress("all is stored; the sink has stopped")


def _wait(name: str, done: Callable[[], bool], children: Children, within_s: float) -> None:
    until_s = time.monotonic() + within_s
    pause = Flag()
    while not done():
        children.check()
        if time.monotonic() > until_s:
            raise CommandFailed(
                f"the {name} was not ready within {within_s:.0f} s: see its log in {children.logs}"
            )
        pause.wait(LOOK_EVERY_S)


def _this_run(sent: Sent, follower: Follower) -> Run:
    return Run(
        sent=sent.records,
        seconds=sent.seconds,
        tier_changes=follower.moves(),
        latencies_ms=follower.latencies_ms(since_ms=sent.steady_from_ms),
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Pass over Ctrl-C while things are being stopped."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, signal.SIG_IGN)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
