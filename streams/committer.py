"""Makes what a task has folded durable, one transaction at a time, while the next is folded."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from agents.reducer import Effects, Reducer
from streams.ledger import Ledger, Positions
from streams.settings import EngineSettings

PERIOD_PER_COMMIT = 2
"""Between the starts of two transactions, times what the quicker of the last two took."""


class Committer:
    """The folded part of a task: its effects wait in the reducer, its positions here.

    Effects and positions grow together in one synchronous stretch (the caller's fold and
    `folded`), and are taken together in one (`commit`): between the two parts of either,
    nothing may be awaited.

    Parameters
    ----------
    linger_ms : int
        Least time between the starts of two transactions.
    behind : callable
        Whether much more waits to be folded: then transactions are larger.
    commit_s_max : float or None
        After it a commit is taken for stuck; None: it may take any time.
    """

    def __init__(
        self,
        reducer: Reducer[Any],
        ledger: Ledger[Any],
        settings: EngineSettings,
        *,
        linger_ms: int,
        behind: Callable[[], bool],
        commit_s_max: float | None,
    ) -> None:
        self._reducer = reducer
        self._ledger = ledger
        self._linger_s = linger_ms / 1_000
        self._catch_up_linger_s = max(linger_ms, settings.catch_up_linger_ms) / 1_000
        self._behind = behind
        self._commit_s_max = commit_s_max
        self._positions: dict[str, int] = {}
        self._committed: Positions = {}
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._plenty = asyncio.Event()
        self._closed = False
        self.pending_records_max = settings.pending_records_max
        self.pending = 0
        self.commits = 0
        self.in_doubt = False

    @property
    def positions(self) -> Positions:
        """What is folded."""
        return self._positions

    @property
    def committed(self) -> Positions:
        """What is durable."""
        return self._committed

    @property
    def busy(self) -> bool:
        """Whether something waits to be committed, or is being committed."""
        return self.pending > 0 or self._lock.locked()

    def start_from(self, positions: Positions) -> None:
        """Take the positions that the ledger holds."""
        self._positions, self._committed = dict(positions), dict(positions)

    def folded(self, positions: Positions, records: int) -> None:
        """Move positions past what was just folded; call it before anything is awaited.

        Parameters
        ----------
        positions : mapping of str to int
            The next offsets, of the topics that were folded from.
        records : int
            How many were folded, or timers fired.
        """
        self._positions.update(positions)
        self.pending += records
        self._wake.set()
        if self.pending >= self.pending_records_max // 2:
            self._plenty.set()

    def passed(self, positions: Positions) -> None:
        """Move the positions past what holds no records; they are committed as what is folded."""
        if positions != self._positions:
            self._positions = dict(positions)
            self.pending += 1
            self._wake.set()

    async def room(self) -> None:
        """Wait until little enough is pending."""
        while self.pending > self.pending_records_max:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Commit whatever is folded, until closed."""
        loop = asyncio.get_running_loop()
        began_s = took_s = before_s = 0.0
        while not self._closed:
            await self._wake.wait()
            self._wake.clear()
            await self._linger(began_s, min(took_s, before_s))
            began_s = loop.time()
            if self.pending:
                await self.commit()
            took_s, before_s = loop.time() - began_s, took_s

    async def _linger(self, began_s: float, took_s: float) -> None:
        """Wait until the next transaction is due, at most as long as little waits for it.

        That is the sooner the quicker the last one was: transactions take a share of the
        worker's time that does not grow, however many its tasks are.
        """
        loop = asyncio.get_running_loop()
        late_s = began_s + self._catch_up_linger_s
        soon_s = min(late_s, began_s + max(self._linger_s, PERIOD_PER_COMMIT * took_s))
        while (now_s := loop.time()) < soon_s or (now_s < late_s and self._behind()):
            until_s = soon_s if now_s < soon_s else min(late_s, now_s + self._linger_s)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    await self._plenty.wait()
                return

    async def commit(self, entries: Mapping[bytes, bytes] | None = None) -> None:
        """Commit what is folded, with further entries of the state.

        Raises
        ------
        Exception
            Whatever the ledger says, or TimeoutError: it is not known what holds.
        """
        async with self._lock:
            if self._closed:
                return
            effects, positions = self._reducer.take(), dict(self._positions)
            self.pending = 0
            self._plenty.clear()
            self._room.set()
            if entries:
                effects.state.update(entries)
            await self._write(effects, positions)
            self._committed = positions
            self.commits += 1

    async def note(self, entries: Mapping[bytes, bytes]) -> None:
        """Commit entries of the state alone; what is folded keeps waiting."""
        async with self._lock:
            await self._write(Effects(state=dict(entries)), self._committed)

    async def close(self) -> None:
        """Commit no more of what is folded, and wait for the commit under way."""
        self._closed = True
        async with self._lock:
            pass

    async def _write(self, effects: Any, positions: Positions) -> None:
        self.in_doubt = True
        async with asyncio.timeout(self._commit_s_max):
            await self._ledger.commit(effects, positions)
        self.in_doubt = False
