"""What a kind of task is: its inputs, its agent's state and its ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agents.reducer import Reducer
from streams.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """A kind of task: partition *p* of all `inputs` together is one task.

    Parameters
    ----------
    name : str
        Name of the agent.
    inputs : tuple of str
        Topics with equal partition counts, in the order that breaks ties of the merge.
    holes : frozenset of str
        Inputs written by transactions, where markers leave holes between offsets.
    reducer, ledger : callable
        Make the state and the ledger of the task of a partition.
    linger_ms : int
        Least time between two transactions, where it is to be more than the engine's `linger_ms`.
    timers : bool
        Whether the task has timers to fire.
    quarantines : bool
        Whether a record that kills its worker again and again is found and set aside; the ledger
        must then keep entries.
    patient : bool
        Whether its ledger may be away for any time: reading then waits, the worker stays. Only for
        a ledger to which the same effects may go twice.
    """

    name: str
    inputs: tuple[str, ...]
    holes: frozenset[str] = frozenset()
    reducer: Callable[[int], Reducer[Any]]
    ledger: Callable[[int], Ledger[Any]]
    linger_ms: int = 0
    timers: bool = False
    quarantines: bool = False
    patient: bool = False
