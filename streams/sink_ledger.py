"""The ledger of a sink: rows in a store that itself says how far they go."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from agents.state import NoState, State
from sinks.port import Block, Collected, RejectedRow, RowSink, SinkRejected, SinkUnavailable
from sinks.rejected import rejected_row
from streams.ledger import Positions

logger = logging.getLogger(__name__)

RETRY_S_FIRST = 0.5
RETRY_S_MAX = 15.0

REFUSED_ROWS_MAX = 100
"""Rows in a row that the store refuses; one more, and the table is at fault, not the rows."""

R = TypeVar("R")


class SinkLedger:
    """Commits one partition of one topic to a row sink, however long that is away.

    The rows say how far they go. Where only marks of transactions and foreign records follow, the
    position is noted, once nothing before it waits. A row that the store will never take is
    searched for by halves and set aside; all others are written. No note goes over the last such
    row: if the table is at fault, it is wanted again.

    Parameters
    ----------
    sink : RowSink
        Blocking; called in a thread, so that no loop waits for it.
    """

    def __init__(self, sink: RowSink, *, topic: str, partition: int) -> None:
        self._sink = sink
        self._topic = topic
        self._partition = partition
        self._refused = 0
        self._held = 0

    @property
    def restored(self) -> int:
        """Nothing: the store itself keeps the rows."""
        return 0

    async def open(self) -> tuple[Positions, State]:
        """Ask the store how far its rows go."""
        held = await self._patiently(lambda: self._sink.positions(self._topic))
        position = held.get(self._partition)
        self._held = position or 0
        return ({} if position is None else {self._topic: position}), NoState()

    async def commit(self, effects: Collected, positions: Positions) -> None:
        """Write the rows; they carry the positions, or nothing does and it is noted.

        Raises
        ------
        SinkRejected
            The store takes no row any more.
        """
        await self._set_aside(effects.rejected)
        for block in effects.blocks:
            await self._write(block)
        position = positions.get(self._topic, 0)
        if effects.complete and not self._refused and position > self._held:
            await self._note(position)

    async def close(self) -> None:
        """Nothing to let go: the sink is shared."""

    async def _write(self, block: Block) -> None:
        try:
            await self._patiently(lambda: self._sink.write(block))
        except SinkRejected as error:
            await self._write_fitting(block, error)
        else:
            self._refused = 0
            last_offset = block.columns["source_offset"][-1]
            assert isinstance(last_offset, int), "offsets are whole numbers"
            self._held = last_offset + 1

    async def _write_fitting(self, block: Block, error: SinkRejected) -> None:
        if block.rows > 1:
            for half in block.halves():  # in their order: later rows move the position
                await self._write(half)
            return
        self._refused += 1
        if self._refused > REFUSED_ROWS_MAX:
            raise error
        await self._set_aside([rejected_row(block, str(error))])

    async def _set_aside(self, rows: Sequence[RejectedRow]) -> None:
        if not rows:
            return
        await self._patiently(lambda: self._sink.reject(rows))
        logger.error(
            "%s-%d: %d records from offset %d on are no rows of their table and are kept in"
            " rejected_rows; the first: %s",
            self._topic,
            self._partition,
            len(rows),
            rows[0].offset,
            rows[0].reason,
        )

    async def _note(self, position: int) -> None:
        place = (self._topic, self._partition, position)
        await self._patiently(lambda: self._sink.note_position(*place))
        self._held = position

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
