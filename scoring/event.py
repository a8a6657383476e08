"""An event: one website visit, email open or form fill of one lead."""

from enum import StrEnum
from typing import Final, final

from scoring.compiling import mypyc_attr
from scoring.value import Value

Scalar = str | int | float | bool | None
"""What a field of an event may hold."""

NO_FIELDS: Final[dict[str, Scalar]] = {}
"""What events without fields share; as all values it is never changed."""


class EventType(StrEnum):
    """The kinds of events, named as senders and models name them."""

    WEBSITE_VISIT = "website_visit"
    EMAIL_OPEN = "email_open"
    FORM_FILL = "form_fill"


@mypyc_attr(acyclic=True)
@final
class Event(Value):
    """One validated event, as the model sees it.

    Parameters
    ----------
    type : EventType
    event_id : str
        The sender's name for the event; the same name again is a double.
    lead_id : str
    occurred_at_ms : int
        Event time, UTC epoch milliseconds.
    machine : bool or None
        True: made by a machine. False: by a person. None: unknown, taken as a person's.
    fields : dict of str to Scalar
        The event's own fields by their contract names (``url``, ``campaign_id``, …), absent
        ones left out.
    profile : dict of str to Scalar
        What a form fill tells of the lead; empty for other types.
    """

    __slots__ = ("type", "event_id", "lead_id", "occurred_at_ms", "machine", "fields", "profile")

    def __init__(
        self,
        type: EventType,  # noqa: A002  (as the contracts call it)
        event_id: str,
        lead_id: str,
        occurred_at_ms: int,
        machine: bool | None,
        fields: dict[str, Scalar],
        profile: dict[str, Scalar],
    ) -> None:
        self.type: Final = type
        self.event_id: Final = event_id
        self.lead_id: Final = lead_id
        self.occurred_at_ms: Final = occurred_at_ms
        self.machine: Final = machine
        self.fields: Final = fields
        self.profile: Final = profile
