"""Lets one task of a worker have the process to itself for a moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Stage:
    """Shared by the tasks of a process: many at work, or one alone.

    A process dies as a whole. A record can only be blamed for a death if nothing else was being
    handled meanwhile, in no task.
    """

    def __init__(self) -> None:
        self._at_work = 0
        self._alone = False
        self._wishes = 0
        self._waiting: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Work beside others; waits while one is alone, or wishes to be."""
        while self._alone or self._wishes:
            await self._change()
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._changed()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Work alone; waits until nobody else works."""
        self._wishes += 1
        try:
            while self._alone or self._at_work:
                await self._change()
            self._alone = True
        finally:
            self._wishes -= 1
            self._changed()
        try:
            yield
        finally:
            self._alone = False
            self._changed()

    async def _change(self) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    def _changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)
