"""Plots as SVG, without a library: bars with their spread, and lines on logarithmic axes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH = 760
FONT = 'font-family="system-ui, sans-serif" font-size="13"'
INK, FAINT = "#1f2933", "#d5dbe1"
OURS, OTHERS = "#53a9b9", "#b4bec9"
COLOURS = ("#0b7285", "#c2410c", "#6d28d9", "#4d7c0f", "#9f1239", "#475569")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A value with its least and most."""

    label: str
    value: float
    least: float
    most: float
    ours: bool = False


def bars(title: str, content: Sequence[Bar]) -> str:
    """Return horizontal bars; a thin line tells from the least to the most."""
    left, right, row, top = 290, 100, 30, 44
    scale = (WIDTH - left - right) / max(each.most for each in content)
    parts = [_text(16, 24, title, weight="bold")]
    for index, bar in enumerate(content):
        y = top + index * row
        colour = OURS if bar.ours else OTHERS
        least, most = left + bar.least * scale, left + bar.most * scale
        size = f'width="{bar.value * scale:.1f}" height="20"'
        parts += [
            _text(left - 10, y + 15, bar.label, anchor="end"),
            f'<rect x="{left}" y="{y}" {size} fill="{colour}"/>',
            _line(least, y + 10, most, y + 10, INK),
            *(_line(end, y + 6, end, y + 14, INK) for end in (least, most)),
            _text(most + 8, y + 15, f"{bar.value:,.0f}"),
        ]
    return _svg(top + len(content) * row + 8, parts)


def lines(
    title: str, series: Mapping[str, Sequence[tuple[float, float]]], *, x: str, y: str
) -> str:
    """Return lines on two logarithmic axes, with whole decades.

    Parameters
    ----------
    series : mapping of str to sequence of tuple
        Points above zero, by the name of their line.
    x, y : str
        What the axes tell.
    """
    points = [point for each in series.values() for point in each]
    across = _Axis(min(each[0] for each in points), max(each[0] for each in points), 70, 500)
    up = _Axis(min(each[1] for each in points), max(each[1] for each in points), 320, 50)
    parts = [_text(16, 24, f"{title}, {y}", weight="bold"), _text(285, 362, x, anchor="middle")]
    for value, at in across.decades():
        parts += [_line(at, 50, at, 320, FAINT), _text(at, 340, f"{value:,g}", anchor="middle")]
    for value, at in up.decades():
        parts += [_line(70, at, 500, at, FAINT), _text(62, at + 4, f"{value:,g}", anchor="end")]
    for index, (name, each) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        places = [(across.place(one), up.place(other)) for one, other in each]
        path = " ".join(f"{one:.1f},{other:.1f}" for one, other in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{one:.1f}" cy="{other:.1f}" r="4" fill="{colour}"/>'
            for one, other in places
        ]
        parts.append(_text(516, 66 + index * 22, name, colour=colour))
    return _svg(376, parts)


class _Axis:
    """A logarithmic axis over whole decades, from one place to another."""

    def __init__(self, least: float, most: float, begin: float, end: float) -> None:
        self._low = floor(log10(least))
        self._high = max(self._low + 1, ceil(log10(most)))
        self._begin, self._end = begin, end

    def place(self, value: float) -> float:
        share = (log10(value) - self._low) / (self._high - self._low)
        return self._begin + share * (self._end - self._begin)

    def decades(self) -> Iterator[tuple[float, float]]:
        for power in range(self._low, self._high + 1):
            yield 10.0**power, self.place(10.0**power)


def _svg(height: int, parts: Sequence[str]) -> str:
    box = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} {FONT}>'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"])


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    colour: str = INK,
) -> str:
    style = f'text-anchor="{anchor}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"/>'
