"""The leads' states of one task: what is committed, and over it what is not yet."""

from collections.abc import Iterator
from itertools import islice

from agents.decoded_states import DecodedStates
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
    decoded : DecodedStates
        How many committed states are kept decoded; those that changed of late are kept first.
    """

    def __init__(self, state: State, *, decoded: DecodedStates) -> None:
        self._state = state
        self._share = decoded.join()
        self._decoded: dict[bytes, LeadState] = {}
        self._changed: dict[bytes, LeadState] = {}
        self._leaving: dict[bytes, LeadState] = {}

    def __contains__(self, key: object) -> bool:
        """Whether a state is newer here than what is committed."""
        return key in self._changed or key in self._leaving

    def get(self, key: bytes) -> LeadState | None:
        """Return a lead's state."""
        found = self._decoded.get(key)
        if found is None:
            data = self._state.get(key)
            if data is None:
                return None
            found = self._decoded[key] = lead_state.decode(data)
        return found

    def put(self, key: bytes, state: LeadState) -> None:
        """Set a lead's state."""
        self._decoded[key] = self._changed[key] = state

    def take(self) -> dict[bytes, LeadState]:
        """Return what has changed since the last call, which is committed next."""
        self._leaving, self._changed = self._changed, {}
        self._evict(len(self._decoded) - len(self._leaving) - self._share.states_max)
        return self._leaving

    def next_due_ms(self) -> int | None:
        """Return when the next lead cools, in event time."""
        committed_ms = self._state.next_due_ms(skip=self)
        first_ms = min((due_ms for due_ms, _ in self._due()), default=None)
        times = [each for each in (first_ms, committed_ms) if each is not None]
        return min(times, default=None)

    def take_due(self, *, until_ms: int, leads_max: int) -> list[bytes]:
        """Return leads that cool up to `until_ms`; each must be `put` next."""
        due = sorted(each for each in self._due() if each[0] <= until_ms)
        keys = [key for _, key in due[:leads_max]]
        left = leads_max - len(keys)
        return keys + self._state.take_due(skip=self, until_ms=until_ms, entries_max=left)

    def _due(self) -> Iterator[tuple[int, bytes]]:
        """Return the times of states that are not committed; few, or nobody waits for timers."""
        for key, state in self._changed.items():
            if state.due_ms is not None:
                yield state.due_ms, key
        for key, state in self._leaving.items():
            if state.due_ms is not None and key not in self._changed:
                yield state.due_ms, key

    def _evict(self, count: int) -> None:
        if count > 0:
            for key in list(islice(self._decoded, count)):
                state = self._decoded.pop(key)
                if key in self._leaving:
                    self._decoded[key] = state  # a second chance, at the end of the queue


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
