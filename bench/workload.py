"""The events that every engine is given: seeded, of three topics, most of them of few leads."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, chain
from random import Random
from typing import NamedTuple
from uuid import UUID

from schemas.topics import EMAIL_OPENS, FORM_FILLS, WEBSITE_VISITS

TOPICS = (WEBSITE_VISITS, EMAIL_OPENS, FORM_FILLS)
SHARES = (0.80, 0.15, 0.05)
"""Of the topics in the events."""

SKEW = 1.1
"""Exponent of Zipf's law, by which leads are more or less active."""

LATE_SHARE, LATE_MS_MAX = 0.02, 600_000
DOUBLED_SHARE, DOUBLED_WITHIN = 0.01, 200
"""A double follows its event within so many events."""

DOUBLED_LEAD_EVENTS_MAX = 64
"""Only of leads with so few events: the ids that are remembered then hold the event in whatever
order an engine merges the topics, so every engine must come to the same answer."""

_SPREAD = 7_368_787
"""A prime: leads that come one after another, and active ones, stand anywhere among the others."""

_PAGES = tuple(
    f"https://www.example.com{folder}/{number}?utm_source=newsletter"
    for folder in ("/products/analytics", "/products/pipeline", "/pricing", "/docs", "/customers")
    for number in range(24)
)
_FORMS = ("demo", "trial-team", "webinar-growth", "whitepaper-scoring", "newsletter", "feedback")
_REFERRERS = (
    "https://www.example.org/search?q=lead+scoring",
    "https://news.example.net/item?id=4242",
    "https://social.example.com/feed/",
    "",
)
_ROLES = ("CTO", "Head of Growth", "Engineer")
_COUNTRIES = ("DE", "US", "FR", "SG")


class Sent(NamedTuple):
    """One event, and its record as the topic's contract has it."""

    topic: str
    lead_id: str
    event_id: str
    occurred_at_ms: int
    record: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is sent; the same values give the same bytes.

    Parameters
    ----------
    events : int
        How many, doubles among them.
    leads : int
        How many there may be.
    begins_at_ms : int
        Event time of the first, UTC epoch milliseconds.
    span_ms : int
        Event time from the first to the last.
    seed : int
    """

    events: int
    leads: int
    begins_at_ms: int
    span_ms: int = 3_600_000
    seed: int = 20260111

    def sent(self) -> Iterator[Sent]:
        """Yield the events in the order in which they are sent: by time, but for late ones."""
        rng = Random(self.seed)  # noqa: S311  # the same events every time
        leads = _leads(rng, self)
        often = Counter(leads)
        recent: list[Sent] = []
        for index, lead in enumerate(leads):
            doubled = _double(rng, recent, often)
            if doubled is not None:
                yield doubled
                continue
            sent = _sent(rng, f"lead-{lead:08d}", self._time_ms(rng, index))
            if len(recent) == DOUBLED_WITHIN:
                recent[index % DOUBLED_WITHIN] = sent
            else:
                recent.append(sent)
            yield sent

    def _time_ms(self, rng: Random, index: int) -> int:
        at_ms = self.begins_at_ms + index * self.span_ms // self.events
        if rng.random() < LATE_SHARE:
            at_ms -= rng.randrange(1, LATE_MS_MAX)
        return max(self.begins_at_ms, at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Every lead once, then events of few or of any: what a large state is tried with.

    Parameters
    ----------
    leads : int
    further : int
        Events after each lead has had one: so many of leads as active as Zipf's law says, as in
        `Workload`, then as many of any lead alike.
    begins_at_ms : int
        Event time of the first, UTC epoch milliseconds; a millisecond passes every 10 events.
    seed : int
    """

    leads: int
    further: int
    begins_at_ms: int
    seed: int = 20260111

    @property
    def events(self) -> int:
        """How many there are."""
        return self.leads + 2 * self.further

    def sent(self) -> Iterator[Sent]:
        """Yield the events by time."""
        rng = Random(self.seed)  # noqa: S311  # the same events every time
        ranks = range(self.leads)
        active = rng.choices(ranks, cum_weights=_zipf(self.leads), k=self.further)
        alike = (rng.randrange(self.leads) for _ in range(self.further))
        for index, rank in enumerate(chain(ranks, active, alike)):
            lead = rank * _SPREAD % self.leads
            yield _sent(rng, f"lead-{lead:08d}", self.begins_at_ms + index // 10)


def new_event_id(rng: Random) -> str:
    """Return the id of an event, as senders commonly make them."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def _leads(rng: Random, workload: Workload) -> list[int]:
    """Choose the lead of each event; those that are often chosen are spread over the numbers."""
    ranks = rng.choices(range(workload.leads), cum_weights=_zipf(workload.leads), k=workload.events)
    names = list(range(workload.leads))
    rng.shuffle(names)
    return [names[rank] for rank in ranks]


def _zipf(leads: int) -> list[float]:
    """Return the weights of leads by rank, added up."""
    return list(accumulate((1 + rank) ** -SKEW for rank in range(leads)))


def _double(rng: Random, recent: list[Sent], often: Counter[int]) -> Sent | None:
    if rng.random() >= DOUBLED_SHARE or not recent:
        return None
    former = recent[rng.randrange(len(recent))]
    few = often[int(former.lead_id.removeprefix("lead-"))] < DOUBLED_LEAD_EVENTS_MAX
    return former if few else None


def _sent(rng: Random, lead_id: str, at_ms: int) -> Sent:
    topic = rng.choices(TOPICS, SHARES)[0]
    event_id = new_event_id(rng)
    record = {"event_id": event_id, "lead_id": lead_id, "occurred_at": at_ms}
    return Sent(topic, lead_id, event_id, at_ms, record | OWN_FIELDS[topic](rng))


def _visit(rng: Random) -> dict[str, object]:
    return _UNSAID | {
        "url": rng.choice(_PAGES),
        "referrer": rng.choice(_REFERRERS),
        "duration_s": float(rng.randrange(1, 900)),
    }


def _open(rng: Random) -> dict[str, object]:
    return _UNSAID | {
        "message_id": f"<{rng.getrandbits(96):024x}@mail.example.com>",
        "campaign_id": f"campaign-2026-q1-{rng.randrange(60):04d}",
    }


def _form(rng: Random) -> dict[str, object]:
    answers = {
        "company": f"Example Company {rng.randrange(5000)} GmbH",
        "role": rng.choice(_ROLES),
        "team_size": rng.randrange(1, 500),
        "country": rng.choice(_COUNTRIES),
    }
    return _UNSAID | {"form_id": rng.choice(_FORMS), "fields": answers}


_UNSAID: dict[str, object] = dict.fromkeys(("user_agent", "machine", "campaign", "channel"))
OWN_FIELDS = {WEBSITE_VISITS: _visit, EMAIL_OPENS: _open, FORM_FILLS: _form}
"""What a record of a topic has beside the ids and the time."""
