"""The sink on the engine, with a store that is away at times: rows are records, each once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sinks.port import Collected, SinkUnavailable
from streams.ledger import Positions
from streams.sink_ledger import SinkLedger
from tests.simulation import rows
from tests.simulation.seeds import first_broken, run_all

KIND = "rows"


class GivesUp(SinkLedger):
    """A mutant: what the store did not take at once is left out."""

    async def _patiently(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except SinkUnavailable:
            return {}


class RejectsLast(SinkLedger):
    """A mutant: rejected rows are kept after the blocks, when the position has moved already."""

    async def commit(self, effects: Collected, positions: Positions) -> None:
        await super().commit(replace(effects, rejected=()), positions)
        await self._set_aside(effects.rejected)


class NotesAhead(SinkLedger):
    """A mutant: positions are noted while rows before them still wait for their block."""

    async def commit(self, effects: Collected, positions: Positions) -> None:
        await super().commit(replace(effects, complete=True), positions)


def test_each_record_is_one_row(seeds) -> None:
    """
    Whatever happens to sinks and to their store, two sinks at once too, each record is held as one
    row or as one rejected row, and in the end retention may take what is held.
    """
    run_all(seeds, rows.run)


@pytest.mark.parametrize("mutant", [GivesUp, RejectsLast, NotesAhead])
def test_planted_mistakes_are_found(mutant) -> None:
    """
    A sink that leaves rows out, keeps rejected ones too late, or notes positions too far, is found.
    """
    found = first_broken(range(600), lambda seed: rows.run(seed, mutant))

    assert found is not None
    assert "missing" in found or "rejected" in found
