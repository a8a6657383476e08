"""What the demo shows while it runs: on a terminal a live page, elsewhere plain lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from schemas.cloudevents import tier_change_id

HOTTEST, RECENT, WHY = 8, 10, 3
LINE_EVERY_S = 2.0
CHANGES_PER_LINE = 3

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is known at a moment.

    Parameters
    ----------
    rate : float
        Events sent a second, lately.
    lag : int or None
        Events that wait to be scored; None: not known.
    """

    elapsed_s: float
    sent: int
    rate: float
    lag: int | None
    hottest: Sequence[Record]
    recent: Sequence[Record]  # newest first


class View:
    """Shows glances until it is left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None
        self._next_line_s = 0.0
        self._shown: set[str] = set()

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, glance: Glance) -> None:
        """Show a glance."""
        if self._live is not None:
            self._live.update(_page(glance))
        elif glance.elapsed_s >= self._next_line_s:
            self._next_line_s = glance.elapsed_s + LINE_EVERY_S
            self._line(_head(glance))
            for change in self._new(glance.recent):
                self._line(f"  {_move(change)}  {why(change)}")

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def _new(self, recent: Sequence[Record]) -> Sequence[Record]:
        """Return the last changes that were not shown yet, oldest first as lines are read."""
        new = [each for each in recent if _identity(each) not in self._shown]
        self._shown = {_identity(each) for each in recent}
        return new[:CHANGES_PER_LINE][::-1]


def why(change: Record) -> str:
    """Return the largest contributions of a tier change, in words."""
    parts = [f"{each['signal']} {each['points']:+.1f}" for each in change["contributions"][:WHY]]
    if change["fit"]:
        parts.append(f"fit {change['fit']:+.1f}")
    return ", ".join(parts)


def _identity(change: Record) -> str:
    return tier_change_id(change["lead_id"], change["seq"])


def _head(glance: Glance) -> str:
    return (
        f"{glance.elapsed_s:5.0f} s  {glance.sent:>9,} sent  {glance.rate:>7,.0f} events/s  "
        f"lag {'?' if glance.lag is None else f'{glance.lag:,}'}"
    )


def _move(change: Record) -> str:
    return (
        f"{change['lead_id']}  {change['from_tier']} → {change['to_tier']}  "
        f"{change['score']:.1f} ({change['reason']})"
    )


def _page(glance: Glance) -> Group:
    hottest = Table("lead", "tier", "score", "why", title="Hottest leads", expand=True)
    for each in glance.hottest:
        hottest.add_row(each["lead_id"], each["to_tier"], f"{each['score']:.1f}", why(each))
    recent = Table("lead", "from → to", "score", "reason", title="Tier changes", expand=True)
    for each in glance.recent:
        move = f"{each['from_tier']} → {each['to_tier']}"
        recent.add_row(each["lead_id"], move, f"{each['score']:.1f}", each["reason"])
    footer = Text("Ctrl-C ends the traffic and does the books; again: stops at once", style="dim")
    return Group(Text(_head(glance), style="bold"), hottest, recent, footer)
