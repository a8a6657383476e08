"""Processes on virtual time: event loops that are stepped by chance and can end at any step."""

import asyncio
import random
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from heapq import heappop, heappush
from typing import Any, NoReturn

STEP_S = 0.000_02
"""What a step costs in virtual time."""

START_MS = 1_760_000_000_000


class Ended(SystemExit):
    """The process gave up, as by os._exit: nothing of it runs any more."""


class Stuck(Exception):
    """No process has anything to do, or nothing came of very many steps."""


class Process(asyncio.AbstractEventLoop):
    """One process: callbacks in asyncio's own order, time and turns from its world."""

    def __init__(self, world: "World") -> None:
        self.alive = True
        self.reason = ""
        self.frozen_until_s = 0.0
        self._world = world
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._tasks: list[asyncio.Task[Any]] = []

    def time(self) -> float:
        return self._world.now_s

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self.alive

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if self.alive:
            self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._world.now_s + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if self.alive:
            heappush(self._timers, (when, self._world.next_number(), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to do: cancelled timers are passed over."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._tasks.append(task)
        if len(self._tasks) > 200:
            self._tasks = [each for each in self._tasks if not each.done()]
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        """Run a blocking call after a while; its effect and its answer come apart."""
        return self.create_task(self._in_thread(lambda: func(*args)))

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        await pause(self._world.chance)
        try:
            return call()
        finally:
            if self.alive:
                await pause(self._world.chance)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Say nothing: futures of a process that ended are not retrieved."""

    @property
    def next_s(self) -> float | None:
        """When there is next something to do; None: never."""
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        if self._ready:
            return max(self._world.now_s, self.frozen_until_s)
        return max(self._timers[0][0], self.frozen_until_s) if self._timers else None

    def step(self, now_s: float) -> bool:
        """Run the next callback; return whether there was one."""
        if now_s < self.frozen_until_s:
            return False
        ready, timers = self._ready, self._timers
        while timers and timers[0][0] <= now_s:
            ready.append(heappop(timers)[2])
        while ready:
            due = ready.popleft()
            if not due.cancelled():
                self._run(due._context.run, due._callback, *due._args)  # type: ignore[attr-defined]
                return True
        return False

    def give_up(self, reason: str) -> NoReturn:
        """End at once, of its own will."""
        self.reason = reason
        self.alive = False
        raise Ended(reason)

    def kill(self) -> None:
        """End at once: nobody says goodbye, and what was in flight is forgotten."""
        self.alive = False
        self._ready.clear()
        self._timers.clear()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            if not task.done():  # a dead process's fakes do nothing, so nothing can come of it
                self._run(task.get_coro().close)

    def _run(self, call: Callable[..., Any], *args: Any) -> None:
        if events._get_running_loop() is not self:
            events._set_running_loop(self)
        try:
            call(*args)
        except Ended:
            self.kill()


class World:
    """The processes of a schedule, their common time and the chance by which they get on."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now_s = 0.0
        self.steps = 0
        self.processes: list[Process] = []
        self._numbers = 0

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def clock_ms(self) -> int:
        """Wall clock of all machines, UTC epoch milliseconds."""
        return START_MS + int(self.now_s * 1_000)

    def process(self) -> Process:
        process = Process(self)  # type: ignore[abstract]  # the rest of a loop is not used
        self.processes.append(process)
        return process

    def step(self) -> None:
        """Let one process, which chance names, do its next step; time passes if none has any."""
        self.steps += 1
        self.now_s += STEP_S
        processes = self.processes
        first = int(self.chance.random() * len(processes)) if len(processes) > 1 else 0
        for turn in range(len(processes)):
            if processes[first - turn].step(self.now_s):
                return
        self.processes = [each for each in processes if each.alive]
        times = [each.next_s for each in self.processes]
        next_s = min((each for each in times if each is not None), default=None)
        if next_s is None:
            raise Stuck("no process has anything to do")
        self.now_s = next_s

    def run(self, steps_max: int, *, until: Callable[[], bool] = lambda: False) -> bool:
        """Go on for so many steps, or until something holds; return whether it does."""
        for _ in range(steps_max):
            if until():
                return True
            self.step()
        return until()

    def close(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.kill()
        events._set_running_loop(None)

    def complete(self, process: Process, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Go on until a coroutine in a process is through; return what it returns."""
        task = process.create_task(coroutine)
        if not self.run(200_000, until=lambda: task.done() or not process.alive):
            raise Stuck(f"{coroutine} is never through")
        return task.result() if process.alive else None


async def pause(chance: random.Random) -> None:
    """Wait a turn of the loop, some milliseconds, or rarely longer."""
    kind = chance.random()
    if kind < 0.45:
        await asyncio.sleep(0)
    elif kind < 0.97:
        await asyncio.sleep(kind * 0.01)
    else:
        await asyncio.sleep(chance.random() * 0.5)
