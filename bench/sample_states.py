"""States of leads as a worker keeps them: some have come once, others for weeks."""

from random import Random
from uuid import UUID

from scoring.event import Event, EventType
from scoring.fold import fold
from scoring.model import Model
from scoring.state import LeadState

EVENTS_MEAN = 7
GAP_MS_MEAN = 8 * 3_600_000
BEGINS_AT_MS = 1_760_000_000_000
_URLS = ("/pricing", "/docs/start", "/blog/news", "/customers/acme", "/")


def sample_states(model: Model, count: int, rng: Random) -> list[LeadState]:
    """Fold `count` leads of one to 64 website visits each, most of few."""
    return [_state(model, rng) for _ in range(count)]


def _state(model: Model, rng: Random) -> LeadState:
    state: LeadState | None = None
    at_ms = BEGINS_AT_MS + rng.randrange(30 * 86_400_000)
    for _ in range(1 + min(63, int(rng.expovariate(1 / EVENTS_MEAN)))):
        at_ms += int(rng.expovariate(1 / GAP_MS_MEAN))
        state = fold(state, _visit(rng, at_ms), model).state
    assert state is not None, "there is one event at least"
    return state


def _visit(rng: Random, at_ms: int) -> Event:
    return Event(
        type=EventType.WEBSITE_VISIT,
        event_id=str(UUID(int=rng.getrandbits(128), version=4)),
        lead_id="lead",
        occurred_at_ms=at_ms,
        machine=None,
        fields={"url": f"https://www.example.com{rng.choice(_URLS)}", "duration_s": 20.0},
        profile={},
    )
