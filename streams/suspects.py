"""Finds the record that kills a task: notes each attempt durably before it is made."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from agents.records import Record
from agents.reducer import Arrival, Reducer
from agents.state import State
from streams import quarantine
from streams.changelog import ATTEMPT_KEY
from streams.committer import Committer
from streams.ledger import Positions
from streams.quarantine import Attempt, Step
from streams.stage import Stage

logger = logging.getLogger(__name__)

CAUTIOUS_RECORDS_MAX = 5
"""Records at a time of a task that died here before; few are then suspects."""

CAUTIOUS_COMMITS = 50
"""After so many a cautious task goes on as usual."""


class Suspects:
    """The account of a task's tries, and how its records are read meanwhile.

    Parameters
    ----------
    attempt : Attempt
    reducer : Reducer
    committer : Committer
        Writes the notes, between its commits.
    stage : Stage
        Shared by the tasks of the process.
    """

    def __init__(
        self,
        attempt: Attempt,
        reducer: Reducer[Any],
        committer: Committer,
        stage: Stage,
    ) -> None:
        self._attempt = attempt
        self._reducer = reducer
        self._committer = committer
        self._stage = stage
        self._noted = False
        self._leaving = False
        self._steady = asyncio.Event()
        self._steady.set()

    @property
    def alone(self) -> bool:
        """Whether the next record is to be handled alone."""
        return self._attempt.alone

    @property
    def records_max(self) -> int | None:
        """How many records may be handled at a time; None: as many as usual."""
        if self.alone:
            return 1
        cautious = self._attempt.cautious and self._committer.commits < CAUTIOUS_COMMITS
        return CAUTIOUS_RECORDS_MAX if cautious else None

    async def read(self, records: Sequence[Record]) -> list[Arrival]:
        """Read records, after noting that this is about to be done."""
        if not self._noted:
            await self._note(self._attempt)
            self._noted = True
        if self.alone:
            return [await self._read_alone(each) for each in records]
        async with self._stage.shared():
            await self._reducer.prepare(records)
            return self._reducer.read(records)

    @asynccontextmanager
    async def under_way(self, step: Step, record: Record) -> AsyncIterator[None]:
        """Note that a step of `record` is made alone, and afterwards that it did no harm."""
        async with self._stage.alone():
            if self._leaving:  # the reader is about to be cancelled: nothing is begun any more
                raise asyncio.CancelledError
            self._steady.clear()
            place = quarantine.place_of(step, record.topic, record.offset)
            try:
                await self._note(quarantine.trying(self._attempt, place))
                yield
                await self._note(quarantine.survived(self._attempt))
            finally:
                self._steady.set()

    async def commit(self) -> None:
        """Commit the record that was folded alone."""
        self._attempt = quarantine.advanced(self._attempt, self._committer.positions)
        await self._committer.commit({ATTEMPT_KEY: quarantine.encode(self._attempt)})

    async def leave(self) -> None:
        """Wait until no record is under way alone, and let none begin."""
        self._leaving = True
        await self._steady.wait()

    async def take_back(self) -> None:
        """Take the note back if nothing was committed since: to be stopped is not to die."""
        # A transaction that failed may still be open: what is written next would commit it too.
        if self._noted and not self._committer.commits and not self._committer.in_doubt:
            try:
                await self._note(quarantine.departed(self._attempt))
            except Exception as error:  # noqa: BLE001  # whoever has the task now counts one death too many
                logger.info("the note of an attempt stays: %r", error)

    async def _read_alone(self, record: Record) -> Arrival:
        if self._attempt.condemns(record.topic, record.offset):
            text = f"the worker died {quarantine.DEATHS_MAX} times while it handled this alone"
            return self._reducer.condemned(record, text)
        async with self.under_way(Step.READ, record):
            await self._reducer.prepare([record])
            (arrival,) = self._reducer.read([record])
            return arrival

    async def _note(self, attempt: Attempt) -> None:
        self._attempt = attempt
        await self._committer.note({ATTEMPT_KEY: quarantine.encode(attempt)})


def attempt_of(state: State, positions: Positions, *, inputs: int) -> Attempt:
    """Return the attempt that a take-over begins.

    Parameters
    ----------
    state : State
        As it was restored.
    positions : Positions
        That were restored.
    inputs : int
        Number of the task's inputs, each of which reads ahead.
    """
    held = state.get(ATTEMPT_KEY)
    under_way_max = 4  # a batch being folded, those pending, and as much in a commit under way
    return quarantine.taken_over(
        None if held is None else quarantine.decode(held),
        positions,
        suspects_max=CAUTIOUS_RECORDS_MAX * (under_way_max + inputs),
    )
