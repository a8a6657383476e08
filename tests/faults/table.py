"""The table of faults."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LAYOUT = "{:<62} {:>5} {:>8} {:>5} {:>7} {:>10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """A line of the table.

    Parameters
    ----------
    times : int
        How often the fault was done.
    lost, doubled : int
        Input records without an end, or with more than one; with sinks alone, records and rows.
    recovery_s : float or None
        From the last fault to the last event; None where the faults end with the work.
    """

    fault: str
    times: int
    events: int
    lost: int
    doubled: int
    recovery_s: float | None = None


def lines_of(rows: Iterable[FaultRow]) -> Iterator[str]:
    """Return the table as text, line by line."""
    yield LAYOUT.format("fault", "times", "events", "lost", "doubled", "recovery s")
    for each in rows:
        recovery = "" if each.recovery_s is None else f"{each.recovery_s:.1f}"
        yield LAYOUT.format(each.fault, each.times, each.events, each.lost, each.doubled, recovery)
