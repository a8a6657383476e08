"""The places of leads' states in memory, over what is committed."""

from agents.decoded_states import DecodedStates
from agents.lead_scoring import STATE_FORMAT
from agents.lead_states import LeadStates
from schemas import lead_state
from scoring.fold import fold
from scoring.state import LeadState
from streams.changelog import EngineFormat
from streams.memory_store import MemoryStore
from tests.unit.agents.makers import an_event, scoring_context


def a_state() -> LeadState:
    return fold(None, an_event(1), scoring_context().model).state


def test_leads_are_loaded_together() -> None:
    """Of leads that were loaded, those that are committed have their states, the others none."""
    store = MemoryStore(EngineFormat(STATE_FORMAT))
    store.apply({b"ada": lead_state.encode(a_state())}, offset=1)
    states = LeadStates(store, decoded=DecodedStates(10))

    ada, bob, again = states.load(["ada", "bob", "ada"])

    assert ada.state == a_state()
    assert bob.state is None
    assert again is ada


def test_a_lead_without_a_state_is_forgotten() -> None:
    """Whoever is folded elsewhere takes no room here; whose state was put stays."""
    states = LeadStates(MemoryStore(EngineFormat(STATE_FORMAT)), decoded=DecodedStates(10))
    ada, bob = states.load(["ada", "bob"])
    states.put(ada, a_state())

    assert states.load(["ada"]) == [ada]
    assert states.load(["bob"]) != [bob]


class ReadKeys(MemoryStore):
    """A store that notes which entries are read."""

    def __init__(self) -> None:
        super().__init__(EngineFormat(STATE_FORMAT))
        self.read: list[bytes] = []

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        self.read += keys
        return super().get_many(keys)


def test_leads_that_are_asked_for_stay_at_hand() -> None:
    """Of more leads than may be kept, those go first that nobody has asked for again."""
    store = ReadKeys()
    data = lead_state.encode(a_state())
    store.apply(dict.fromkeys((b"ada", b"bob", b"eve"), data), offset=1)
    states = LeadStates(store, decoded=DecodedStates(2))
    for lead_ids in (["ada", "bob"], ["ada"], ["eve"]):
        states.load(lead_ids)
    states.take()
    states.take()
    store.read.clear()

    states.load(["ada", "bob", "eve"])

    assert store.read == [b"bob"]
