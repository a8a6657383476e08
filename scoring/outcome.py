"""What became of an input record."""

from enum import StrEnum


class Outcome(StrEnum):
    """Every way an input record, or a timer, can end; a closed set, also a metric's label."""

    SCORED = "scored"
    """A signal took it and its count grew."""
    UNMATCHED = "unmatched"
    """No signal took it; it still moved the lead's time and profile."""
    DOUBLED = "doubled"
    """Its id is among the lead's last ones; it changed nothing."""
    FORWARDED = "forwarded"
    """It came to a partition that does not own the lead, and was sent on to the owner."""
    DECAY = "decay"
    """No record: a timer made a change visible that time alone had caused."""
