"""The one place where a worker gives up: it says why, and never goes on with a hole."""

import asyncio
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

logger = logging.getLogger(__name__)

EXIT_FAIL_STOP = 70
"""Exit code of a worker that could not go on safely (EX_SOFTWARE of sysexits.h)."""


class EngineError(Exception):
    """The engine met something it must not pass over."""


class TornAssignment(EngineError):
    """A worker was given some inputs of a task and not the others."""


class OffsetRewind(EngineError):
    """Records came that had been folded before."""


class PositionLost(EngineError):
    """The records after a task's position are gone from the broker."""


class ChangelogLost(EngineError):
    """The changelog lacks what was committed to it."""


class CorruptChangelog(EngineError):
    """The changelog holds what we did not write."""


class ClockSkew(EngineError):
    """The worker's clock is far off the broker's."""


class NoProgress(EngineError):
    """Records wait and none is folded, or Kafka does not answer."""


class StuckTask(EngineError):
    """A step of a task took longer than its bound."""


def fail_stop(reason: str, error: BaseException | None = None) -> NoReturn:
    """End the process at once with code 70, after saying why.

    Nothing is flushed or committed on the way out: what is not committed is read again by the
    next owner.
    """
    text = f"worker stops: {reason}"
    if error is not None:
        text += f": {type(error).__name__}: {error}\n"
        text += "".join(traceback.format_exception(error))
    os.write(2, (text.rstrip() + "\n").encode(errors="replace"))  # Faust redirects sys.stderr
    os._exit(EXIT_FAIL_STOP)


@contextmanager
def or_fail_stop(what: str) -> Iterator[None]:
    """End the process on whatever goes wrong in here, also on a cancellation nobody asked for.

    aiokafka lets cancellations of its own out, and asyncio would end the step in silence.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        fail_stop(f"{what} met a cancellation that is not ours", error)
    except Exception as error:  # noqa: BLE001  # whatever it is
        fail_stop(what, error)


def is_cancelled() -> bool:
    """Whether somebody cancels the asyncio task that runs now."""
    running = asyncio.current_task()
    return running is not None and running.cancelling() > 0
