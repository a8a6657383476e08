"""An event: one website visit, email open or form fill of one lead."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

Scalar = str | int | float | bool | None
"""What a field of an event may hold."""


class EventType(StrEnum):
    """The kinds of events, named as senders and models name them."""

    WEBSITE_VISIT = "website_visit"
    EMAIL_OPEN = "email_open"
    FORM_FILL = "form_fill"


class Event(NamedTuple):
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
    fields : mapping of str to Scalar
        The event's own fields by their contract names (``url``, ``campaign_id``, …), absent
        ones left out.
    profile : mapping of str to Scalar
        What a form fill tells of the lead; empty for other types.
    """

    type: EventType
    event_id: str
    lead_id: str
    occurred_at_ms: int
    machine: bool | None
    fields: Mapping[str, Scalar]
    profile: Mapping[str, Scalar]
