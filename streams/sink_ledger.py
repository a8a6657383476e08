"""The ledger of a sink: rows in a store that itself says how far they go."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from agents.state import NoState, State
from sinks.port import Block, RowSink, SinkUnavailable
from streams.ledger import Positions

logger = logging.getLogger(__name__)

RETRY_S_FIRST = 0.5
RETRY_S_MAX = 15.0

R = TypeVar("R")


class SinkLedger:
    """Commits one partition of one topic to a row sink, however long that is away.

    There is no other record of the position than the rows themselves.

    Parameters
    ----------
    sink : RowSink
        Blocking; called in a thread, so that no loop waits for it.
    """

    def __init__(self, sink: RowSink, *, topic: str, partition: int) -> None:
        self._sink = sink
        self._topic = topic
        self._partition = partition

    async def open(self) -> tuple[Positions, State]:
        """Ask the store how far its rows go."""
        held = await self._patiently(lambda: self._sink.positions(self._topic))
        position = held.get(self._partition)
        return ({} if position is None else {self._topic: position}), NoState()

    async def commit(self, effects: Block | None, positions: Positions) -> None:  # noqa: ARG002
        """Write the block; the rows carry the positions.

        Raises
        ------
        SinkRejected
            The store will never take these rows.
        """
        if effects is not None:
            await self._patiently(lambda: self._sink.write(effects))

    async def close(self) -> None:
        """Nothing to let go: the sink is shared."""

    async def _patiently(self, call: Callable[[], R]) -> R:
        wait_s = RETRY_S_FIRST
        while True:
            try:
                return await asyncio.to_thread(call)
            except SinkUnavailable as error:
                logger.warning(
                    "%s-%d: the store is away, trying again in %.1f s: %s",
                    self._topic,
                    self._partition,
                    wait_s,
                    error,
                )
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_S_MAX, wait_s * 2)
