"""Classification: which signal, if any, an event is."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from scoring.event import Event, EventType, Scalar
from scoring.model import Condition, Model, Signal


@dataclass(frozen=True, slots=True)
class Rule:
    """A signal and its place in the model."""

    index: int
    signal: Signal
    when: Condition | None


class Classifier:
    """Finds the signal of an event: the first of the model's rules for its type that holds."""

    def __init__(self, model: Model) -> None:
        rules = [Rule(index, signal, signal.when) for index, signal in enumerate(model.signals)]
        self._rules: dict[EventType, tuple[Rule, ...]] = {
            kind: tuple(rule for rule in rules if rule.signal.on is kind) for kind in EventType
        }

    def classify(self, event: Event, profile: Mapping[str, Scalar]) -> Rule | None:
        """Return the first rule that takes `event`.

        Parameters
        ----------
        event : Event
        profile : mapping of str to Scalar
            The lead's, with what this event tells of it.

        Returns
        -------
        Rule or None
            None when no rule of the model takes it.
        """
        seen: dict[str, object] | None = None
        for rule in self._rules[event.type]:
            if rule.when is None:
                return rule
            if seen is None:
                seen = view(event, profile)
            if rule.when.holds(seen):
                return rule
        return None


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
    try:
        return urlsplit(url).path
    except ValueError:  # "http://[": what is no URL has no path
        return None
