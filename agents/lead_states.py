"""The leads' states of one task: what is committed, and over it what is not yet."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain

from agents.state import State
from schemas import lead_state
from scoring.state import LeadState


class DecodedStates:
    """Committed states that are kept decoded, those used last; shared by the tasks of a worker.

    Parameters
    ----------
    states_max : int
    """

    def __init__(self, states_max: int) -> None:
        self._states_max = states_max
        self._states: OrderedDict[tuple[object, bytes], LeadState] = OrderedDict()

    def get(self, owner: object, key: bytes) -> LeadState | None:
        """Return a state that `owner` put here, if it is still here."""
        found = self._states.get((owner, key))
        if found is not None:
            self._states.move_to_end((owner, key))
        return found

    def put(self, owner: object, key: bytes, state: LeadState) -> None:
        """Keep a state for `owner`."""
        self._states[owner, key] = state
        if len(self._states) > self._states_max:
            self._states.popitem(last=False)

    def drop(self, owner: object, key: bytes) -> None:
        """Forget a state."""
        self._states.pop((owner, key), None)


class LeadStates:
    """States by key (the lead's id as UTF-8), decoded, few of them in memory.

    A state that changes stays here until it is committed: first among the `changed`, then, while
    its commit is under way, among the `leaving`. Commits follow one another, so when the next
    begins (`take`), those of the last are in `state`.

    Parameters
    ----------
    state : State
        What is committed.
    decoded : DecodedStates
        Where committed states are kept besides.
    """

    def __init__(self, state: State, *, decoded: DecodedStates) -> None:
        self._state = state
        self._decoded = decoded
        self._owner = object()
        self._changed: dict[bytes, LeadState] = {}
        self._leaving: dict[bytes, LeadState] = {}

    def __contains__(self, key: object) -> bool:
        """Whether a state is newer here than what is committed."""
        return key in self._changed or key in self._leaving

    def get(self, key: bytes) -> LeadState | None:
        """Return a lead's state."""
        found = (
            self._changed.get(key) or self._leaving.get(key) or self._decoded.get(self._owner, key)
        )
        if found is not None:
            return found
        data = self._state.get(key)
        if data is None:
            return None
        found = lead_state.decode(data)
        self._decoded.put(self._owner, key, found)
        return found

    def put(self, key: bytes, state: LeadState) -> None:
        """Set a lead's state."""
        self._changed[key] = state

    def take(self) -> dict[bytes, LeadState]:
        """Return what has changed since the last call, which is committed next."""
        for key, state in self._leaving.items():
            if key not in self._changed:
                self._decoded.put(self._owner, key, state)
        self._leaving, self._changed = self._changed, {}
        for key in self._leaving:
            self._decoded.drop(self._owner, key)
        return self._leaving

    def next_due_ms(self) -> int | None:
        """Return when the next lead cools, in event time."""
        times = [due_ms for due_ms, _ in self._pending_due()]
        committed_ms = self._state.next_due_ms(skip=self)
        if committed_ms is not None:
            times.append(committed_ms)
        return min(times, default=None)

    def take_due(self, *, until_ms: int, leads_max: int) -> list[bytes]:
        """Return leads that cool up to `until_ms`; each must be `put` next."""
        due = sorted(each for each in self._pending_due() if each[0] <= until_ms)
        keys = [key for _, key in due[:leads_max]]
        left = leads_max - len(keys)
        return keys + self._state.take_due(skip=self, until_ms=until_ms, entries_max=left)

    def _pending_due(self) -> Iterator[tuple[int, bytes]]:
        """Yield when each lead that is not committed yet is due; they are few, and asked seldom."""
        waiting = ((key, each) for key, each in self._leaving.items() if key not in self._changed)
        for key, state in chain(self._changed.items(), waiting):
            if state.due_ms is not None:
                yield state.due_ms, key


class LeadStateFormat:
    """What the scoring agent's entries look like.

    Parameters
    ----------
    notes : frozenset of bytes
        Keys of entries that are no lead's.
    """

    def __init__(self, notes: frozenset[bytes]) -> None:
        self._notes = notes

    def check(self, key: bytes, value: bytes) -> None:
        """Read an entry wholly.

        Raises
        ------
        CorruptState, UnknownStateVersion
        """
        if key not in self._notes:
            lead_state.decode(value)

    def due_ms(self, key: bytes, value: bytes) -> int | None:
        """Return when a lead cools."""
        return None if key in self._notes else lead_state.due_ms(value)
