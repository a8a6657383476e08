"""Classification: which signal, if any, an event is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import urlsplit

from scoring.event import Event, EventType, Scalar
from scoring.model import Condition, Model, Signal
from scoring.profile import as_mapping
from scoring.state import ProfileField

REMEMBERED_MAX = 8_192
"""Values of a field whose rule is remembered."""

_ENVELOPE = frozenset(("type", "event_id", "lead_id", "occurred_at", "machine", "profile"))
"""Names that conditions see beside the event's own fields."""

_PLAIN_URL = re.compile(r"""https?://[\w.:-]*((?:/[!"$->@-~]*)?)(?:[?#]|\Z)""", re.ASCII)
"""A URL whose path no rule of the standard's changes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A signal and its place in the model."""

    index: int
    signal: Signal
    when: Condition | None
    name: str
    points: float
    half_life_ms: int


@dataclass(frozen=True, slots=True)
class _Run:
    """Rules that follow each other and look at the same own field of an event, and at no more.

    Parameters
    ----------
    name : str
        The field; "" for a single rule that looks elsewhere.
    remembered : dict of str to (Rule or None)
        Which of the rules takes an event with this text in the field.
    """

    name: str
    rules: tuple[Rule, ...]
    remembered: dict[str, Rule | None] = field(default_factory=dict)

    def by_value(self, value: Scalar) -> Rule | None:
        """Return the first rule that takes an event with `value` in the field."""
        if type(value) is not str:
            return self._first({self.name: value})
        try:
            return self.remembered[value]
        except KeyError:
            if len(self.remembered) >= REMEMBERED_MAX:
                self.remembered.clear()
            found = self.remembered[value] = self._first({self.name: value})
            return found

    def _first(self, seen: Mapping[str, object]) -> Rule | None:
        for rule in self.rules:
            if rule.when is None or rule.when.holds(seen):
                return rule
        return None

    by_view = _first


class Classifier:
    """Finds the signal of an event: the first of the model's rules for its type that holds."""

    def __init__(self, model: Model) -> None:
        rules = [
            Rule(index, signal, signal.when, signal.name, signal.points, signal.half_life_ms)
            for index, signal in enumerate(model.signals)
        ]
        self._runs: dict[EventType, tuple[_Run, ...]] = {
            kind: _runs([rule for rule in rules if rule.signal.on is kind]) for kind in EventType
        }

    def classify(self, event: Event, profile: tuple[ProfileField, ...]) -> Rule | None:
        """Return the first rule that takes `event`.

        Parameters
        ----------
        event : Event
        profile : tuple of ProfileField
            The lead's, with what this event tells of it.

        Returns
        -------
        Rule or None
            None when no rule of the model takes it.
        """
        seen: dict[str, object] | None = None
        for run in self._runs[event.type]:
            value = _own(event, run.name) if run.name else None
            if value is not None:
                rule = run.by_value(value)
            elif run.rules[0].when is None:
                return run.rules[0]
            else:
                seen = view(event, as_mapping(profile)) if seen is None else seen
                rule = run.by_view(seen)
            if rule is not None:
                return rule
        return None


def _runs(rules: list[Rule]) -> tuple[_Run, ...]:
    runs: list[_Run] = []
    for name, alike in groupby(rules, key=_only_field):
        if name:
            runs.append(_Run(name, tuple(alike)))
        else:
            runs.extend(_Run("", (rule,)) for rule in alike)
    return tuple(runs)


def _only_field(rule: Rule) -> str:
    """Return the own field that a rule looks at, if it looks at nothing else."""
    names = () if rule.when is None else rule.when.names
    return names[0] if len(names) == 1 and names[0] not in _ENVELOPE else ""


def _own(event: Event, name: str) -> Scalar:
    if name == "path":
        path = url_path(event.fields.get("url"))
        if path is not None:
            return path
    return event.fields.get(name)


def view(event: Event, profile: Mapping[str, Scalar]) -> dict[str, object]:
    """Return what conditions see of an event and its lead.

    Parameters
    ----------
    event : Event
    profile : mapping of str to Scalar

    Returns
    -------
    dict of str to object
        The event's own fields, its ``type``, ``event_id``, ``lead_id``, ``occurred_at`` (epoch
        milliseconds) and ``machine``, the ``path`` of its URL, and ``profile``.
    """
    seen: dict[str, object] = {
        **event.fields,
        "type": event.type.value,
        "event_id": event.event_id,
        "lead_id": event.lead_id,
        "occurred_at": event.occurred_at_ms,
        "machine": event.machine,
        "profile": profile,
    }
    path = url_path(event.fields.get("url"))
    if path is not None:
        seen["path"] = path
    return seen


def url_path(url: Scalar) -> str | None:
    """Return the path of a URL as it is written, without query and fragment.

    Examples
    --------
    >>> url_path("https://example.com/pricing?plan=pro#faq")
    '/pricing'
    """
    if not isinstance(url, str):
        return None
    if plain := _PLAIN_URL.match(url):
        return plain[1]
    try:
        return urlsplit(url).path
    except ValueError:  # "http://[": what is no URL has no path
        return None
