"""The command, in a process that dies at once of records that say so; run as a module."""

import os
import signal
from collections.abc import Callable
from typing import Any

import agents.event_reader as reading
import agents.lead_scoring as scoring
from leadvelocity.cli import main

DEADLY_READ, DEADLY_FOLD = "deadly-read", "deadly-fold"


def dying_of(deadly: str, step: Callable[..., Any], event_id: Callable[..., str]) -> Any:
    """Return `step`, but with a kill -9 in the place of it for ids that begin with `deadly`."""

    def deadly_step(*arguments: Any, **named: Any) -> Any:
        if event_id(*arguments).startswith(deadly):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*arguments, **named)

    return deadly_step


if __name__ == "__main__":
    read, fold = vars(reading)["read_event"], vars(scoring)["fold"]
    vars(reading)["read_event"] = dying_of(
        DEADLY_READ, read, lambda _, record: str(record["event_id"])
    )
    vars(scoring)["fold"] = dying_of(DEADLY_FOLD, fold, lambda _, event, __: event.event_id)
    main()
