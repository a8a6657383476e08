"""Velocity over all leads: transitions between tiers by window, in partials that add up.

A partial holds what one writer saw of one window. A later version of it replaces the earlier;
different parts of a window are added. So a writer may forget a window that seems over and begin
another part of it when one more change comes.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple, final

from scoring.compiling import mypyc_attr
from scoring.dwell import Buckets, bucket_index, merged
from scoring.value import Value


class Window(StrEnum):
    """Spans that transitions are counted over, in UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def span_ms(self) -> int:
        """Length in milliseconds."""
        return _SPANS_MS[self]


_SPANS_MS = {Window.MINUTE: 60_000, Window.HOUR: 3_600_000, Window.DAY: 86_400_000}


class Place(NamedTuple):
    """Where in time a partial belongs."""

    window: Window
    start_ms: int


class Passage(NamedTuple):
    """From which tier to which; sorts by rank."""

    from_rank: int
    to_rank: int
    from_tier: str
    to_tier: str


@mypyc_attr(acyclic=True)
@final
class Move(Value):
    """A tier change, as far as velocity goes by it.

    Parameters
    ----------
    dwell_ms : int
        How long the lead had been in the tier it left.
    """

    __slots__ = ("passage", "occurred_at_ms", "dwell_ms")

    def __init__(self, passage: Passage, occurred_at_ms: int, dwell_ms: int) -> None:
        self.passage: Final = passage
        self.occurred_at_ms: Final = occurred_at_ms
        self.dwell_ms: Final = dwell_ms


@mypyc_attr(acyclic=True)
@final
class Transitions(Value):
    """Changes from one tier to another.

    Parameters
    ----------
    dwell_ms_sum : int
        Time spent in the tier that was left, added over the changes.
    dwells : Buckets
        The same times in buckets, for quantiles.
    """

    __slots__ = ("count", "dwell_ms_sum", "dwells")

    def __init__(self, count: int, dwell_ms_sum: int, dwells: Buckets) -> None:
        self.count: Final = count
        self.dwell_ms_sum: Final = dwell_ms_sum
        self.dwells: Final = dwells


@mypyc_attr(acyclic=True)
@final
class Partial(Value):
    """What one writer counted in one window.

    Parameters
    ----------
    part : int
        Tells partials of the same window apart that one writer began at different times.
    version : int
        Number of changes in it.
    hot_leads : int
        Leads of the writer in the highest tier, when the version was made.
    """

    __slots__ = ("place", "part", "version", "hot_leads", "transitions")

    def __init__(
        self,
        place: Place,
        part: int,
        version: int,
        hot_leads: int,
        transitions: Mapping[Passage, Transitions],
    ) -> None:
        self.place: Final = place
        self.part: Final = part
        self.version: Final = version
        self.hot_leads: Final = hot_leads
        self.transitions: Final = transitions


def apply(
    partials: Mapping[Place, Partial],
    move: Move,
    *,
    hot_leads: int,
    part: int,
) -> tuple[Partial, ...]:
    """Count a tier change.

    Parameters
    ----------
    partials : mapping of Place to Partial
        Those that the writer still holds; not changed.
    move : Move
    hot_leads : int
        The writer's leads in the highest tier after the change; see `hot_leads_after`.
    part : int
        For partials begun now; never given before to the same window by the same writer (the
        change's place in its topic will do).

    Returns
    -------
    tuple of Partial
        The new version of each window's partial, by span: put them where the old ones were.
    """
    one = Transitions(1, move.dwell_ms, {bucket_index(move.dwell_ms): 1})
    at_ms = move.occurred_at_ms
    touched = []
    for window, span_ms in _SPANS_MS.items():
        place = Place(window, at_ms - at_ms % span_ms)
        held = partials.get(place)
        touched.append(
            Partial(place, part, 1, hot_leads, {move.passage: one})
            if held is None
            else Partial(
                place,
                held.part,
                held.version + 1,
                hot_leads,
                _with(held.transitions, move.passage, one),
            )
        )
    return tuple(touched)


def hot_leads_after(hot_leads: int, move: Move, *, top_rank: int) -> int:
    """Return how many leads are in the highest tier after a change.

    Parameters
    ----------
    hot_leads : int
        Before it.
    move : Move
    top_rank : int
        Rank of the highest tier.

    Returns
    -------
    int
    """
    passage = move.passage
    return hot_leads + (passage.to_rank == top_rank) - (passage.from_rank == top_rank)


def added(many: Iterable[Mapping[Passage, Transitions]]) -> Mapping[Passage, Transitions]:
    """Return the transitions of all: the sum, whatever the order and grouping.

    Parameters
    ----------
    many : iterable of mapping of Passage to Transitions

    Returns
    -------
    mapping of Passage to Transitions
        Sorted by rank.
    """
    total: Mapping[Passage, Transitions] = {}
    for transitions in many:
        for passage, new in transitions.items():
            total = _with(total, passage, new)
    return total


def closed(partials: Iterable[Partial], *, before_ms: int) -> tuple[Place, ...]:
    """Return the windows that ended by `before_ms`, which a writer may forget."""
    return tuple(
        partial.place
        for partial in partials
        if partial.place.start_ms + partial.place.window.span_ms <= before_ms
    )


def _with(
    held: Mapping[Passage, Transitions], passage: Passage, new: Transitions
) -> Mapping[Passage, Transitions]:
    """Return `held` with `new` added to it, sorted by rank as `held` is."""
    known = held.get(passage)
    if known is None:
        return dict(sorted({**held, passage: new}.items()))
    return {**held, passage: _sum(known, new)}


def _sum(first: Transitions, second: Transitions) -> Transitions:
    return Transitions(
        first.count + second.count,
        first.dwell_ms_sum + second.dwell_ms_sum,
        merged(first.dwells, second.dwells),
    )
