"""Why a record cannot be used."""

from enum import StrEnum


class DeadLetterReason(StrEnum):
    """The closed set of codes that a dead letter's reason begins with."""

    EMPTY_VALUE = "empty_value"
    TOO_LARGE = "too_large"
    BAD_FRAMING = "bad_framing"
    UNKNOWN_SCHEMA = "unknown_schema"
    WRONG_SCHEMA = "wrong_schema"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing_bytes"
    BAD_VALUE = "bad_value"
    BAD_LEAD_ID = "bad_lead_id"
    BAD_EVENT_ID = "bad_event_id"
    FUTURE_EVENT = "future_event"
    STATE_TOO_LARGE = "state_too_large"
    QUARANTINED = "quarantined"


class Undecodable(Exception):
    """A record that cannot be used, now or later; its neighbours can.

    Parameters
    ----------
    reason : DeadLetterReason
    text : str
        What is wrong with it, for people.
    field : str or None
        Name of the field at fault, where one is.
    """

    def __init__(self, reason: DeadLetterReason, text: str, *, field: str | None = None) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.text = text
        self.field = field
