"""Traffic from a seed: unique events, numbered for each lead, some doubled, some late."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MINUTE_MS = 60_000
KINDS = ("website_visit",) * 6 + ("email_open",) * 2 + ("form_fill",)
PAGES = ("/pricing/a", "/docs", "/a?b", "/blog/é")
LATE_MS = (0,) * 12 + (700, 30_000)
DOUBLED = 0.03

Line = dict[str, Any]
"""An event as `leadvelocity send` takes it."""


def now_ms() -> int:
    """Return the wall clock in UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True, kw_only=True)
class Traffic:
    """A source of events; the same seed gives the same ones.

    Parameters
    ----------
    seed : int
    leads : int
    hot_share : float
        Share of all events that falls on the one lead 0.
    """

    seed: int
    leads: int = 300
    hot_share: float = 0.0
    numbers: Counter[int] = field(default_factory=Counter)
    made: list[Line] = field(default_factory=list)
    _randomness: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._randomness = random.Random(self.seed)
        print(f"seed of the traffic: {self.seed}")  # noqa: T201  # so that a run can be repeated

    def backlog(self, count: int, *, last_ms: int, spread_ms: int = 10 * MINUTE_MS) -> list[Line]:
        """Return events that happened within `spread_ms` before `last_ms`, in sending order."""
        begin_ms = last_ms - spread_ms
        return [self.event(begin_ms + spread_ms * number // count) for number in range(count)]

    def live(self, count: int) -> Iterator[Line]:
        """Yield events that happen as they are asked for."""
        for _ in range(count):
            yield self.event(now_ms())

    def event(self, at_ms: int) -> Line:
        """Return the next event; some are one of before once more."""
        randomness = self._randomness
        if self.made and randomness.random() < DOUBLED:
            line = dict(self.made[-randomness.randrange(1, min(len(self.made), 40) + 1)])
        else:
            line = self._new(at_ms - randomness.choice(LATE_MS))
        self.made.append(line)
        return line

    def _new(self, at_ms: int) -> Line:
        randomness = self._randomness
        hot = randomness.random() < self.hot_share
        lead = 0 if hot else randomness.randrange(self.leads)
        self.numbers[lead] += 1
        kind = randomness.choice(KINDS)
        line: Line = {
            "type": kind,
            "event_id": f"{self.seed}-{lead}-{self.numbers[lead]}",
            "lead_id": f"lead-{self.seed}-{lead}",
            "occurred_at": at_ms,
            "machine": randomness.choice((None, False, True)),
        }
        if kind == "website_visit":
            line["url"] = "https://x.example" + randomness.choice(PAGES)
        elif kind == "form_fill":
            line["form_id"] = randomness.choice(("demo", "newsletter"))
            line["fields"] = {"country": randomness.choice(("US", "FR"))}
        return line
