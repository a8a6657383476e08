"""The command, in a process that dies at once of records that say so; run as a module."""

import os
import signal
from collections.abc import Sequence
from typing import Any

from agents.lead_scoring import LeadScoring
from agents.records import Record
from agents.reducer import Arrival
from leadvelocity import roles
from leadvelocity.cli import main
from scoring.event import Event

DEADLY_READ, DEADLY_FOLD = "deadly-read", "deadly-fold"


class Deadly:
    """An agent, but with a kill -9 where it comes to records of deadly events."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._agent = LeadScoring(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._agent, name)

    def read(self, records: Sequence[Record]) -> list[Arrival]:
        """Read records, if they can be survived."""
        for record in records:
            die_of(DEADLY_READ, record)
        return self._agent.read(records)

    def fold(self, arrivals: Sequence[Arrival], *, now_ms: int) -> None:
        """Fold a batch, if it can be survived."""
        for each in arrivals:
            if isinstance(each.content, Event):  # else it was set aside
                die_of(DEADLY_FOLD, each.record)
        self._agent.fold(arrivals, now_ms=now_ms)


def die_of(deadly: str, record: Record) -> None:
    """End at once if `record` is of an event of which the id says `deadly`."""
    if deadly.encode() in (record.value or b""):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    vars(roles)["LeadScoring"] = Deadly
    main()
