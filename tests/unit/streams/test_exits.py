"""Where a worker gives up: on errors, and on cancellations that nobody asked for."""

import asyncio
from typing import NoReturn

import pytest

from streams.exits import or_fail_stop


class Ended(BaseException):
    """In the place of the process's end."""


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process end by an exception."""

    def end(reason: str, error: BaseException | None = None) -> NoReturn:
        raise Ended(f"{reason}: {error!r}")

    monkeypatch.setattr("streams.exits.fail_stop", end)


def test_an_error_ends_the_process() -> None:
    """Whatever goes wrong in a step that a worker cannot do without, it ends with the reason."""
    with pytest.raises(Ended, match="assigning: KeyError"), or_fail_stop("assigning"):
        raise KeyError("x")


def test_a_cancellation_of_somebody_else_s_ends_the_process() -> None:
    """A client's own cancellation, let out, does not end the step alone and in silence."""

    async def step() -> None:
        with or_fail_stop("assigning"):
            raise asyncio.CancelledError

    with pytest.raises(Ended, match="not ours"):
        asyncio.run(step())


def test_a_cancellation_that_was_asked_for_passes() -> None:
    """To be told to stop is no failure."""

    async def step() -> None:
        with or_fail_stop("assigning"):
            await asyncio.sleep(60)

    async def stop() -> bool:
        task = asyncio.create_task(step())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(stop())
