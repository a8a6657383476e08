"""A second fold, written from the exact rules alone: slow, plain, and sharing no code with ours.

It keeps every event, sums over all of them, and looks at every millisecond.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import fsum
from typing import Any
from urllib.parse import urlparse

from scoring.event import Event

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
NEAR = 1e-9


class TooClose(Exception):
    """A score so near a threshold that rounding decides; nobody can say who is right."""


def milliseconds(text: str) -> int:
    number = text.rstrip("smhd")
    return int(number) * UNITS[text[len(number) :]]


def same(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, list):
        return any(same(one, value) for one in wanted)
    words = {True: "true", False: "false"}
    text = words[value] if isinstance(value, bool) else str(value)
    return fnmatchcase(text, words[wanted] if isinstance(wanted, bool) else str(wanted))


@dataclass
class Oracle:
    """One lead's history under a model given as the plain data of a model file."""

    model: dict[str, Any]
    tier: int = 0
    since: int = 0
    as_of: int | None = None
    judged_by: str | None = None
    kept: list[tuple[str, int, float]] = field(default_factory=list)  # (signal, time, weight)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)  # name -> (time, value)
    ids: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tiers(self) -> list[dict[str, Any]]:
        """Lowest first."""
        return list(reversed(self.model["tiers"]))

    def matches(self, when: dict[str, Any], fields: dict[str, Any]) -> bool:
        """Whether all named fields match."""
        for name, wanted in when.items():
            if name.startswith("profile."):
                value = self.answers.get(name[8:], (0, None))[1]
            elif fields.get(name) is not None:
                value = fields[name]
            else:
                value = self.answers.get(name, (0, None))[1]
            if value is None or not same(wanted, value):
                return False
        return True

    def score(self, at: int) -> float:
        """Sum over every event."""
        groups: dict[str | None, list[float]] = {}
        for signal in self.model["signals"]:
            half_life = milliseconds(signal.get("half_life", self.model.get("half_life")))
            count = fsum(
                weight * 2 ** (-(at - time) / half_life)
                for name, time, weight in self.kept
                if name == signal["name"]
            )
            worth = min(signal.get("cap", float("inf")), signal["points"] * count)
            groups.setdefault(signal.get("group"), []).append(worth)
        total = fsum(
            min(self.model.get("groups", {}).get(name, {}).get("cap", float("inf")), fsum(worths))
            for name, worths in groups.items()
        )
        for rule in self.model["fit"]:
            total += float(rule["points"]) if self.matches(rule["when"], {}) else 0.0
        return max(0.0, total)

    def judgement(self, at: int) -> int:
        """Rule 1, with the dwell of rule 3."""
        score, tiers = self.score(at), self.tiers
        for tier in tiers:
            for key in ("enter", "exit"):
                if key in tier and abs(score - tier[key]) < NEAR:
                    raise TooClose
        for rank in range(len(tiers) - 1, self.tier, -1):
            if score >= tiers[rank]["enter"]:
                return rank
        here = tiers[self.tier]
        if "exit" in here and score < here["exit"]:
            if at < self.since + milliseconds(here.get("dwell", "0s")):
                return self.tier
            for rank in range(self.tier - 1, 0, -1):
                if tiers[rank]["exit"] <= score:
                    return rank
            return 0
        return self.tier

    def judge(self, at: int, reason: str, trigger: str | None = None) -> None:
        """Move to the tier that the score says."""
        rank = self.judgement(at)
        if self.judged_by != self.model["model"]:
            reason, trigger = "model_change", None
        self.judged_by = self.model["model"]
        self.as_of = at
        if rank != self.tier:
            self.changes.append(
                {
                    "seq": len(self.changes) + 1,
                    "from": self.tiers[self.tier]["name"],
                    "to": self.tiers[rank]["name"],
                    "reason": reason,
                    "at": at,
                    "dwell": at - self.since,
                    "trigger": trigger,
                    "score": self.score(at),
                }
            )
            self.tier, self.since = rank, at

    def first_change(self, upto: int) -> int | None:
        """Look at each millisecond after `as_of`."""
        assert self.as_of is not None
        for at in range(self.as_of + 1, upto + 1):
            if self.judgement(at) != self.tier:
                return at
        return None

    def pass_time(self, upto: int) -> None:
        """Rule 2."""
        while (at := self.first_change(upto)) is not None:
            self.judge(at, "decay")

    def event(self, event: Event) -> None:
        """Rules 2, 4, 7, 8 and 9."""
        if event.event_id in self.ids[-64:]:
            return
        at = event.occurred_at_ms
        if self.as_of is None:
            self.since = self.as_of = at
            self.judged_by = self.model["model"]
        elif self.judged_by == self.model["model"]:
            self.pass_time(at - 1)
        self.ids.append(event.event_id)
        for name, value in event.profile.items():
            if name not in self.answers or at >= self.answers[name][0]:
                self.answers[name] = (at, value)
        fields = {**event.fields, "machine": event.machine}
        if "url" in fields:
            fields["path"] = urlparse(str(fields["url"])).path
        for signal in self.model["signals"]:
            if signal["on"] == event.type.value and self.matches(signal.get("when", {}), fields):
                weight = self.model["machine"]["weight"] if event.machine else 1.0
                self.kept.append((signal["name"], at, weight))
                break
        reason = "late_event" if at < self.as_of else "event"
        self.judge(max(at, self.as_of), reason, event.event_id)
