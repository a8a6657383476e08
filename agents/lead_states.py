"""The leads' states of one task: what is committed, and over it what is not yet."""

from collections import OrderedDict

from agents.cooling import CoolingTimers
from agents.state import State
from schemas import lead_state
from scoring.state import LeadState


class LeadStates:
    """States by key (the lead's id as UTF-8), decoded, few of them in memory.

    A state that changes stays here until it is committed: first among the `changed`, then, while
    its commit is under way, among the `leaving`. Commits follow one another, so when the next
    begins (`take`), those of the last are in `state`.

    Parameters
    ----------
    state : State
        What is committed.
    cached_max : int
        Committed states that are kept decoded.
    """

    def __init__(self, state: State, *, cached_max: int) -> None:
        self._state = state
        self._cached_max = cached_max
        self._changed: dict[bytes, LeadState] = {}
        self._leaving: dict[bytes, LeadState] = {}
        self._cached: OrderedDict[bytes, LeadState] = OrderedDict()
        self._timers = CoolingTimers()

    def __contains__(self, key: object) -> bool:
        """Whether a state is newer here than what is committed."""
        return key in self._changed or key in self._leaving

    def get(self, key: bytes) -> LeadState | None:
        """Return a lead's state."""
        found = self._changed.get(key) or self._leaving.get(key)
        if found is not None:
            return found
        found = self._cached.get(key)
        if found is not None:
            self._cached.move_to_end(key)
            return found
        data = self._state.get(key)
        if data is None:
            return None
        found = lead_state.decode(data)
        self._keep(key, found)
        return found

    def put(self, key: bytes, state: LeadState) -> None:
        """Set a lead's state."""
        self._changed[key] = state
        self._timers.set(key, state.due_ms)

    def take(self) -> dict[bytes, LeadState]:
        """Return what has changed since the last call, which is committed next."""
        for key, state in self._leaving.items():
            if key not in self._changed:
                self._timers.set(key, None)
                self._keep(key, state)
        self._leaving, self._changed = self._changed, {}
        for key in self._leaving:
            self._cached.pop(key, None)
        return self._leaving

    def next_due_ms(self) -> int | None:
        """Return when the next lead cools, in event time."""
        first = self._timers.peek()
        committed_ms = self._state.next_due_ms(skip=self)
        times = [each for each in (first and first[0], committed_ms) if each is not None]
        return min(times, default=None)

    def take_due(self, *, until_ms: int, leads_max: int) -> list[bytes]:
        """Return leads that cool up to `until_ms`; each must be `put` next."""
        keys: list[bytes] = []
        while len(keys) < leads_max and (first := self._timers.peek()) and first[0] <= until_ms:
            keys.append(self._timers.pop())
        left = leads_max - len(keys)
        return keys + self._state.take_due(skip=self, until_ms=until_ms, entries_max=left)

    def _keep(self, key: bytes, state: LeadState) -> None:
        self._cached[key] = state
        if len(self._cached) > self._cached_max:
            self._cached.popitem(last=False)


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
