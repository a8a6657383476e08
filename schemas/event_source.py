"""Generates Python that reads events from values of an input topic.

Of a visit's id, its url and what stands at its end it makes::

    b = v[p]
    if b & 129:
        …  # see `schemas.avro_reader`
        if p - s > 256: raise Doubtful
    else:
        s = p + 1
        p = s + (b >> 1)
    event_id = v[s:p].decode()
    if not (event_id and event_id.isprintable()): raise Doubtful

    b = v[p]
    p += 1
    if b == 0:
        pass
    elif b == 2:
        …
        fields['url'] = v[s:p].decode()
    else:
        raise no_choice(v, p - 1)

    rest = v[p:]
    tail = tails.get(rest)
    if tail is None:
        …  # read the last fields, and remember them
    else:
        last, machine = tail
        fields |= last
        p = end
"""

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

from schemas.avro_reader import SHORT_BYTES_MAX, ReaderSource
from schemas.avro_types import plain
from schemas.events import EVENT_TYPES, OCCURRED_AT_MS_MAX, EventLimits, own_fields
from schemas.topics import FORM_FILLS
from scoring.event import Event

EventReader = Callable[[bytes], Event]

CHARS_MAX_MIN = SHORT_BYTES_MAX
"""Generated readers do not count the characters of shorter texts."""

_IDS = ("event_id", "lead_id")


TAILS_MAX = 4096
TAIL_BYTES_MAX = 1024
"""Longer ones are not remembered."""

_SHARED = frozenset(("campaign_id", "campaign", "channel", "machine", "user_agent"))
"""Fields that many records have in common: read once, and remembered, where they are the last."""


class Doubtful(Exception):
    """A value that is left to the plain way of reading."""


def compile_event_reader(topic: str, schema: Mapping[str, Any], limits: EventLimits) -> EventReader:
    """Return a function that reads events.

    It raises Doubtful, and all that other generated readers raise, for what may be no event.

    Parameters
    ----------
    topic : str
        An input topic.
    schema : mapping
        The writer's; the fields that it shares with the topic's contract have the same types.
    limits : EventLimits
        None of the lengths below `CHARS_MAX_MIN`.
    """
    source = _EventSource(topic, schema["__named_schemas"], limits)
    return source.reader({each["name"]: each["type"] for each in schema["fields"]})


class _EventSource(ReaderSource):
    """Source that leaves its values in ``event_id``, ``fields``, … as `Event` names them."""

    def __init__(self, topic: str, named: Mapping[str, Any], limits: EventLimits) -> None:
        super().__init__(named)
        self._topic = topic
        self._own_fields = frozenset(own_fields(topic))
        self._limits = limits
        self._chars_max = limits.field_chars_max

    def reader(self, fields: Mapping[str, Any]) -> EventReader:
        """Return the function that reads records of these fields."""
        shared: list[str] = [*takewhile(_SHARED.__contains__, reversed([*fields]))]
        with self.text.block("def read(v):"):
            self.text.line("fields = {}")
            self.text.line("profile = {}")  # as this and the next may not be there
            self.text.line("machine = None")
            with self.whole_record():
                for name, node in fields.items():
                    if name not in shared:
                        self._field(name, node)
                if shared:
                    self._tail({name: fields[name] for name in reversed(shared)})
            self._return()
        names: dict[str, object] = {
            "Doubtful": Doubtful,
            "Event": Event,
            "remember": _remember,
            "tails": {},
        }
        compiled: EventReader = self.compiled("read", names)
        return compiled

    def long_span(self) -> None:
        """Refuse what may have too many characters."""
        self.refuse(f"p - s > {self._chars_max}", "Doubtful")

    def number(self, kind_of_float: str, store: str | None) -> None:
        """Read a number, and refuse what is none."""
        super().number(kind_of_float, store)
        self.refuse("d - d != 0", "Doubtful")  # infinite, or not a number

    def _field(self, name: str, node: Any) -> None:
        if name in _IDS:
            self._id(name)
        elif name == "occurred_at":
            self.text.line("b = v[p]")
            self.time("at_ms")
            self.refuse(f"not 0 <= at_ms <= {OCCURRED_AT_MS_MAX}", "Doubtful")
        elif name == "machine":
            self.value(node, "machine")
        elif name in self._own_fields:
            self._own_field(node, _place(name))
        elif name == "fields" and self._topic == FORM_FILLS:
            self.value(node, "profile")
            self.refuse(f"len(profile) > {self._limits.profile_fields_max}", "Doubtful")
        else:
            self.value(node, None)

    def _tail(self, fields: Mapping[str, Any]) -> None:
        """Read the last fields, or take what the same bytes gave before."""
        line = self.text.line
        machine = "machine" if "machine" in fields else "_"
        line("rest = v[p:]")
        line("tail = tails.get(rest)")
        with self.text.block("if tail is None:"):
            line("first = fields")
            line("fields = {}")
            for name, node in fields.items():
                self._field(name, node)
            self.refuse("p != end", "Doubtful")
            line("remember(tails, rest, (fields, machine))")
            line("fields = first | fields")
        with self.text.block("else:"):
            line(f"last, {machine} = tail")
            line("fields |= last")
            line("p = end")

    def _id(self, name: str) -> None:
        self._chars_max = self._limits.id_chars_max
        self.string(name)
        self._chars_max = self._limits.field_chars_max
        self.refuse(f"not ({name} and {name}.isprintable())", "Doubtful")

    def _own_field(self, node: Any, place: str) -> None:
        node = plain(node, self.named)
        if isinstance(node, list):
            self.choice(node, lambda each: self._present(each, place))
        else:
            self.value(node, place)

    def _present(self, node: Any, place: str) -> None:
        if plain(node, self.named) != "null":
            self.value(node, place)

    def _return(self) -> None:
        event_type = self.text.value(EVENT_TYPES[self._topic])
        self.text.line(
            f"return Event({event_type}, event_id, lead_id, at_ms, machine, fields, profile)"
        )


def _place(name: str) -> str:
    return f"fields[{name!r}]"


def _remember(tails: dict[bytes, object], tail: bytes, read: object) -> None:
    if len(tail) <= TAIL_BYTES_MAX:
        if len(tails) >= TAILS_MAX:
            tails.clear()
        tails[tail] = read
