"""What an agent gets from the engine: one batch of one task."""

import asyncio
from collections.abc import Callable, Sequence

from agents.reducer import Arrival


class Batch:
    """Arrivals of one task, or a moment up to which its timers are due.

    `fold` tells the engine that the batch is done: Faust's acknowledgement comes even after an
    error, so it cannot.

    Parameters
    ----------
    arrivals : sequence of Arrival
        In merged order; empty for timers.
    until_ms : int or None
        Fire timers up to here, in event time.
    fold : callable
        The task's step: folds the batch and moves the positions, without an await between.
    """

    __slots__ = ("_fold", "arrivals", "done", "until_ms")

    def __init__(
        self,
        arrivals: Sequence[Arrival],
        *,
        until_ms: int | None,
        fold: Callable[["Batch"], None],
    ) -> None:
        self.arrivals = arrivals
        self.until_ms = until_ms
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fold = fold

    def fold(self) -> None:
        """Fold the batch into its task; does nothing for a task that has stopped."""
        self._fold(self)
        if not self.done.done():
            self.done.set_result(None)
