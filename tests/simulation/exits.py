"""How a process of a simulation ends where a real one calls os._exit."""

import asyncio
from typing import NoReturn

from tests.simulation.virtual_time import Process


def fail_stop(reason: str, error: BaseException | None = None) -> NoReturn:
    process = asyncio.get_running_loop()
    assert isinstance(process, Process)
    process.give_up(f"{reason}: {error!r}")
