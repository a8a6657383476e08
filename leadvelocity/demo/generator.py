"""Lifelike traffic: people in moods, crawlers, mail scanners, late and doubled events, poison."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from scoring.event import Event, EventType, Scalar

LATE_MS_MAX = 240_000
"""How late a late event is at most."""

JITTER_MS_MAX = 400
"""How long an ordinary event is on its way."""

DOUBLED, LATE, POISON, STRAY = 0.01, 0.02, 0.002, 0.002
"""Shares of all that is sent."""

REMEMBERED_MAX = 200
"""Events that may be sent once more."""


class Mood(StrEnum):
    """What a person is up to."""

    BROWSER = "browser"
    RESEARCHER = "researcher"
    BUYER = "buyer"
    COLD = "cold"
    CRAWLER = "crawler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """Bytes that are no event, for one of the input topics."""

    topic_index: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """An event that its sender puts into a partition of its own choice."""

    event: Event
    partition_seed: int


Item = Event | Stray | Poison

_SHARES = {
    Mood.BROWSER: 52,
    Mood.RESEARCHER: 22,
    Mood.BUYER: 8,
    Mood.COLD: 14,
    Mood.CRAWLER: 4,
}
"""Of a hundred leads."""

_BURST = {Mood.BROWSER: 4, Mood.RESEARCHER: 9, Mood.BUYER: 7, Mood.COLD: 1, Mood.CRAWLER: 40}
"""Events of one visit, on average."""

_PAGES = {
    Mood.BROWSER: (
        "/",
        "/blog/what-is-lead-scoring",
        "/blog/funnels",
        "/about",
        "/careers",
        "/status",
    ),
    Mood.RESEARCHER: (
        "/docs/start",
        "/docs/api",
        "/integrations/kafka",
        "/case-studies/acme",
        "/blog/decay",
    ),
    Mood.BUYER: (
        "/pricing",
        "/pricing/enterprise",
        "/customers",
        "/case-studies/acme",
        "/docs/security",
    ),
    Mood.COLD: ("/", "/login", "/support"),
    Mood.CRAWLER: ("/", "/blog/funnels", "/docs/start", "/pricing", "/about", "/customers"),
}
_FORMS = {
    Mood.BROWSER: ("newsletter", "ebook-funnels"),
    Mood.RESEARCHER: ("whitepaper-decay", "webinar-kafka", "trial"),
    Mood.BUYER: ("demo", "contact-sales", "trial"),
    Mood.COLD: ("unsubscribe",),
}
_CHANCE_OF_FORM = {Mood.BROWSER: 0.02, Mood.RESEARCHER: 0.05, Mood.BUYER: 0.12, Mood.COLD: 0.15}
_CHANCE_OF_MAIL = 0.15
_PEOPLE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_SCANNER = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
)
_CHANNELS = ("website", "paid ad", "referral", "social")
_COUNTRIES = ("DE", "US", "FR", "GB", "IN", "BR", "JP")
_ROLES = ("VP Marketing", "Head of Growth", "Engineer", "Student", "CTO", "Analyst")
_SIZES = (3, 15, 40, 180, 250, 2_000)


class Traffic:
    """An endless stream of things that senders send; equal seeds and times give equal streams.

    Parameters
    ----------
    seed : int
    leads : int
        People and crawlers there are.
    start_ms : int
        When it begins; part of the events' ids, so that a second run has new ones.
    """

    def __init__(self, *, seed: int, leads: int, start_ms: int) -> None:
        self._random = Random(seed)  # noqa: S311  # traffic, no secrets
        names = Random(seed)  # noqa: S311
        moods = names.choices(list(_SHARES), list(_SHARES.values()), k=leads)
        self._moods = {f"lead-{number:05d}": mood for number, mood in enumerate(moods)}
        self._leads = list(self._moods)
        self._prefix = f"{seed}-{start_ms:x}"
        self._number = 0
        self._visit: deque[str] = deque()
        self._sent: deque[Event] = deque(maxlen=REMEMBERED_MAX)

    def next(self, now_ms: int) -> Item:
        """Return what is sent next, at a moment of UTC epoch milliseconds."""
        draw = self._random.random()
        if draw < POISON:
            return self._poison(now_ms)
        if draw < POISON + DOUBLED and self._sent:
            return self._random.choice(self._sent)
        late = draw > 1 - LATE
        event = self._event(now_ms - self._random.randrange(LATE_MS_MAX if late else JITTER_MS_MAX))
        if 1 - LATE - STRAY < draw <= 1 - LATE:
            return Stray(event=event, partition_seed=self._random.randrange(1 << 16))
        self._sent.append(event)
        return event

    def _event(self, at_ms: int) -> Event:
        """Go on with a visit; several go on at a time, each a burst of one person."""
        if len(self._visit) < max(1, len(self._leads) // 20):
            lead = self._random.choice(self._leads)
            events = 1 + int(self._random.expovariate(1 / _BURST[self._moods[lead]]))
            self._visit.extend([lead] * events)
            if self._random.random() < 0.3:  # noqa: PLR2004  # visits of several people overlap
                self._random.shuffle(self._visit)
        lead = self._visit.popleft()
        mood = self._moods[lead]
        draw = self._random.random()
        if draw < _CHANCE_OF_FORM.get(mood, 0.0):
            return self._form(lead, mood, at_ms)
        if mood is not Mood.CRAWLER and draw > 1 - _CHANCE_OF_MAIL:
            return self._mail(lead, at_ms)
        return self._page(lead, mood, at_ms)

    def _page(self, lead: str, mood: Mood, at_ms: int) -> Event:
        crawler = mood is Mood.CRAWLER
        path = self._random.choice(_PAGES[mood])
        fields: dict[str, Scalar] = {
            "url": f"https://www.example.com{path}",
            "user_agent": _CRAWLER if crawler else _PEOPLE,
            "channel": self._random.choice(_CHANNELS),
        }
        if not crawler:
            fields["duration_s"] = round(self._random.expovariate(1 / 45), 1)
        return self._made(EventType.WEBSITE_VISIT, lead, at_ms, fields, machine=crawler or None)

    def _mail(self, lead: str, at_ms: int) -> Event:
        scanned = self._random.random() < 0.35  # noqa: PLR2004  # mail scanners open about a third
        fields: dict[str, Scalar] = {
            "message_id": f"mail-{self._random.randrange(40)}",
            "campaign_id": "autumn",
            "user_agent": _SCANNER if scanned else _PEOPLE,
            "channel": "email",
        }
        return self._made(EventType.EMAIL_OPEN, lead, at_ms, fields, machine=scanned)

    def _form(self, lead: str, mood: Mood, at_ms: int) -> Event:
        fields: dict[str, Scalar] = {
            "form_id": self._random.choice(_FORMS[mood]),
            "channel": "form",
        }
        profile: dict[str, Scalar] = {
            "country": self._random.choice(_COUNTRIES),
            "role": self._random.choice(_ROLES),
            "company_size": self._random.choice(_SIZES),
        }
        return self._made(EventType.FORM_FILL, lead, at_ms, fields, profile=profile)

    def _made(
        self,
        kind: EventType,
        lead: str,
        at_ms: int,
        fields: dict[str, Scalar],
        *,
        machine: bool | None = None,
        profile: dict[str, Scalar] | None = None,
    ) -> Event:
        self._number += 1
        return Event(
            type=kind,
            event_id=f"{self._prefix}-{self._number:x}",
            lead_id=lead,
            occurred_at_ms=at_ms,
            machine=machine,
            fields=fields,
            profile=profile or {},
        )

    def _poison(self, now_ms: int) -> Item:
        """Return one of the things that go wrong out there."""
        random = self._random
        topic_index = random.randrange(3)
        lead = random.choice(self._leads)
        key = random.choice((None, lead.encode(), b"\xff\xfe"))
        match random.randrange(4):
            case 0:
                value = b'{"lead_id": "not avro"}'
            case 1:
                value = b"\x00\x7f\xff\xff\xfe" + random.randbytes(20)
            case 2:
                value = random.randbytes(random.randrange(1, 40))
            case _:  # its sender's clock is wrong
                return self._event(now_ms + 3_600_000)
        return Poison(topic_index=topic_index, key=key, value=value)
