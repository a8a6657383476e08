"""Classification: which signal, if any, an event is."""

from collections.abc import Mapping
from itertools import groupby
from typing import Final, final
from urllib.parse import urlsplit

from scoring.event import Event, EventType, Scalar
from scoring.model import Model, Signal
from scoring.profile import as_mapping
from scoring.state import ProfileField

REMEMBERED_MAX = 8_192
"""Values of a field whose rule is remembered."""

_ENVELOPE = frozenset(("type", "event_id", "lead_id", "occurred_at", "machine", "profile"))
"""Names that conditions see beside the event's own fields."""


@final
class Rule:
    """A signal and its place in the model."""

    __slots__ = ("half_life_ms", "index", "name", "points", "signal", "when")

    def __init__(self, index: int, signal: Signal) -> None:
        self.index: Final = index
        self.signal: Final = signal
        self.when: Final = signal.when
        self.name: Final = signal.name
        self.points: Final = signal.points
        self.half_life_ms: Final = signal.half_life_ms


@final
class _Run:
    """Rules that follow each other and look at the same own field of an event, and at no more.

    Parameters
    ----------
    name : str
        The field; "" for a single rule that looks elsewhere.
    """

    __slots__ = ("name", "remembered", "rules")

    def __init__(self, name: str, rules: tuple[Rule, ...]) -> None:
        self.name: Final = name
        self.rules: Final = rules
        self.remembered: dict[str, Rule | None] = {}
        """Which of the rules takes an event with this text in the field."""

    def by_value(self, value: Scalar) -> Rule | None:
        """Return the first rule that takes an event with `value` in the field."""
        if type(value) is not str:
            return self.by_view({self.name: value})
        try:
            return self.remembered[value]
        except KeyError:
            if len(self.remembered) >= REMEMBERED_MAX:
                self.remembered.clear()
            found = self.remembered[value] = self.by_view({self.name: value})
            return found

    def by_view(self, seen: Mapping[str, object]) -> Rule | None:
        """Return the first rule that takes an event of which conditions see this."""
        for rule in self.rules:
            if rule.when is None or rule.when.holds(seen):
                return rule
        return None


def fields_seen(model: Model) -> frozenset[str]:
    """Return the events' own fields that the model's rules may look at, and perhaps more names."""
    names = {name for signal in model.signals if signal.when for name in signal.when.names}
    return frozenset(names | {"url"} if "path" in names else names)


class Classifier:
    """Finds the signal of an event: the first of the model's rules for its type that holds."""

    def __init__(self, model: Model) -> None:
        rules = [Rule(index, signal) for index, signal in enumerate(model.signals)]
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
    if url.startswith(("https://", "http://")) and _is_plain(url):
        return _plain_path(url)
    try:
        return urlsplit(url).path
    except ValueError:  # "http://[": what is no URL has no path
        return None


def _is_plain(url: str) -> bool:
    """Whether no rule of the standard's changes a character of a URL, or refuses one."""
    if " " in url or "[" in url or "]" in url:
        return False
    return url.isascii() and url.isprintable()


def _plain_path(url: str) -> str:
    host = url.index("/") + 2
    query, fragment = url.find("?", host), url.find("#", host)
    end = len(url) if fragment < 0 else fragment
    if 0 <= query < end:
        end = query
    path = url.find("/", host, end)
    return "" if path < 0 else url[path:end]
