"""The leads' states of one task: what is committed, and over it what is not yet."""

from collections.abc import Sequence
from itertools import islice
from typing import Final, cast, final

from mypy_extensions import mypyc_attr

from agents.decoded_states import DecodedStates
from agents.state import State
from schemas import lead_state
from scoring.state import LeadState


@mypyc_attr(acyclic=True)
@final
class Lead:
    """The place of one lead's state, as of the last event.

    Parameters
    ----------
    lead_id : str
    state : LeadState or None
        None before the first event.

    Attributes
    ----------
    key : bytes
        The lead's id as UTF-8.
    changed, leaving : bool
        Whether the state is to be committed, or is being committed.
    asked_for : bool
        Whether it was at hand and asked for since it came, or since it was last spared.
    """

    __slots__ = ("lead_id", "key", "state", "changed", "leaving", "asked_for")

    def __init__(self, lead_id: str, key: bytes, state: LeadState | None) -> None:
        self.lead_id: Final = lead_id
        self.key: Final = key
        self.state = state
        self.changed = False
        self.leaving = False
        self.asked_for = False


@final
class LeadStates:
    """States by lead, decoded, few of them in memory.

    A state that changes stays here until it is committed: first among the `changed`, then, while
    its commit is under way, among the `leaving`. Commits follow one another, so when the next
    begins (`take`), those of the last are in `state`.

    Parameters
    ----------
    state : State
        What is committed.
    decoded : DecodedStates
        How many committed states are kept decoded; those that are asked for often are kept first
        (CLOCK: Corbató, *A paging experiment with the Multics system*, 1968).
    """

    def __init__(self, state: State, *, decoded: DecodedStates) -> None:
        self._state: Final = state
        self._share: Final = decoded.join()
        self._leads: dict[str, Lead] = {}
        self._changed: list[Lead] = []
        self._leaving: list[Lead] = []

    def __contains__(self, key: object) -> bool:
        """Whether a state is newer here than what is committed."""
        lead = self._leads.get(cast("bytes", key).decode())
        return lead is not None and (lead.changed or lead.leaving)

    def load(self, lead_ids: Sequence[str]) -> list[Lead]:
        """Return the places of leads in their order; states that are not at hand are read together.

        Those without a state are forgotten, unless one is `put`.
        """
        leads, missing, found = self._leads, dict[str, Lead](), list[Lead]()
        for lead_id in lead_ids:
            lead = leads.get(lead_id)
            if lead is not None:
                lead.asked_for = True
            else:
                lead = missing.get(lead_id)
                if lead is None:
                    missing[lead_id] = lead = Lead(lead_id, lead_id.encode(), None)
            found.append(lead)
        unknown = [missing[lead_id] for lead_id in sorted(missing)]  # found sooner so
        keys = [lead.key for lead in unknown]
        for lead, data in zip(unknown, self._state.get_many(keys), strict=True):
            if data is not None:
                lead.state = lead_state.decode(data)
                leads[lead.lead_id] = lead
        return found

    def put(self, lead: Lead, state: LeadState) -> None:
        """Set a lead's state."""
        if lead.state is None:
            self._leads[lead.lead_id] = lead
        lead.state = state
        if not lead.changed:
            lead.changed = True
            self._changed.append(lead)

    def take(self) -> list[Lead]:
        """Return the leads that have changed since the last call, which are committed next."""
        for lead in self._leaving:
            lead.leaving = False
        self._leaving, self._changed = self._changed, []
        for lead in self._leaving:
            lead.changed, lead.leaving = False, True
        self._evict(len(self._leads) - len(self._leaving) - self._share.states_max)
        return self._leaving

    def next_due_ms(self) -> int | None:
        """Return when the next lead cools, in event time."""
        committed_ms = self._state.next_due_ms(skip=self)
        first_ms = min((due_ms for due_ms, _ in self._due()), default=None)
        times = [each for each in (first_ms, committed_ms) if each is not None]
        return min(times, default=None)

    def take_due(self, *, until_ms: int, leads_max: int) -> list[bytes]:
        """Return leads that cool up to `until_ms`; each must be `put` next."""
        due = sorted([each for each in self._due() if each[0] <= until_ms])
        keys = [key for _, key in due[:leads_max]]
        left = leads_max - len(keys)
        return keys + self._state.take_due(skip=self, until_ms=until_ms, entries_max=left)

    def _due(self) -> list[tuple[int, bytes]]:
        """Return the times of states that are not committed; few, or nobody waits for timers."""
        waiting = self._changed + [each for each in self._leaving if not each.changed]
        due = []
        for lead in waiting:
            assert lead.state is not None, "only a lead with a state changes"
            if lead.state.due_ms is not None:
                due.append((lead.state.due_ms, lead.key))
        return due

    def _evict(self, count: int) -> None:
        if count > 0:
            for lead_id in list(islice(self._leads, count)):
                lead = self._leads.pop(lead_id)
                if lead.leaving or lead.asked_for:
                    lead.asked_for = False
                    self._leads[lead_id] = lead  # a second chance, at the end of the queue


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
