"""The port between the engine and an agent: a task's state and what is done with its records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar, final

from mypy_extensions import mypyc_attr

from agents.records import Output, Record
from agents.state import State
from scoring.merge import Timed

E_co = TypeVar("E_co", covariant=True)


@mypyc_attr(acyclic=True)
@final
class Arrival(Timed):
    """A record and what was read from it.

    Parameters
    ----------
    time_ms : int
        Where it sorts in the merge: event time, or `scoring.merge.AT_ONCE`.
    """

    __slots__ = ("record",)

    def __init__(self, time_ms: int, record: Record, content: Any) -> None:
        super().__init__(time_ms, content)
        self.record: Final = record


def positions_after(arrivals: Sequence[Arrival], *, topics: int) -> dict[str, int]:
    """Return the next offset of each topic that `arrivals` are of; there are so many at most."""
    positions: dict[str, int] = {}
    for index in range(len(arrivals) - 1, -1, -1):
        record = arrivals[index].record
        if record.topic not in positions:
            positions[record.topic] = record.offset + 1
            if len(positions) == topics:
                break
    return positions


@dataclass(slots=True, kw_only=True)
class Effects:
    """What a stretch of folding decided, to be made durable as one.

    Parameters
    ----------
    outputs : list of Output
        In the order they were decided.
    state : dict of bytes to (bytes or None)
        Changed entries of the state, encoded; None removes one.
    """

    outputs: list[Output] = field(default_factory=list)
    state: dict[bytes, bytes | None] = field(default_factory=dict)


class Reducer(Protocol[E_co]):
    """State of one task, folded synchronously; reads no clock, awaits nothing but `prepare`."""

    async def prepare(self, records: Sequence[Record]) -> None:
        """Fetch what reading `records` needs from outside (schemas), before `read`."""
        ...

    def read(self, records: Sequence[Record]) -> list[Arrival]:
        """Read records; never raises for what senders can send."""
        ...

    def condemned(self, record: Record, text: str) -> Arrival:
        """Return the arrival of a record that must not be read, to be set aside by `fold`."""
        ...

    def restore(self, state: State) -> None:
        """Take the committed state, which stays up to date by itself; called once, first."""
        ...

    def fold(self, arrivals: Sequence[Arrival], *, now_ms: int) -> None:
        """Fold a batch in its order."""
        ...

    def next_timer_ms(self) -> int | None:
        """When the next timer is due, in event time."""
        ...

    def fire(self, *, until_ms: int, now_ms: int) -> int:
        """Fire the timers due up to `until_ms`, a bounded number; return how many fired."""
        ...

    def take(self) -> E_co:
        """Hand over what has been decided since the last `take`."""
        ...
