"""The page of figures."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.page import DATA, files
from bench.plots import Bar, bars, lines

DOCS = Path(__file__).resolve().parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def _engine(title, median):
    spread = {"median": median, "least": median / 2, "most": median * 2}
    names = ("events_per_s", "late_events_per_s", "cpu_us_per_event", "memory_mb")
    return {"title": title, "runs": [{}], "failures": [], **dict.fromkeys(names, spread)}


def _crowd(leads, speeds):
    seconds = {"killed_s": 9.0, "stopped_s": 3.0, "lost_s": 30.0}
    measured = {"events_per_s": speeds, "even_events_per_s": speeds}
    return {"leads": leads, "memory_mb": 600.0, "disk_mb": 200.0, **measured, **seconds}


FIGURES = {
    "measured_at": "2026-01-01T00:00+00:00",
    "machine": {"cores": "2"},
    "versions": {"kafka": "4"},
    "ours_exactly_once": 300,
    "kafka_streams_exactly_once": 100,
    "flink_exactly_once": None,
    "throughput": {
        "kafka_streams_exactly_once": _engine("Kafka Streams", 100.0),
        "ours_exactly_once": _engine("ours", 300.0),
        "flink_exactly_once": {"title": "Flink", "runs": [], "failures": ["no"]},
    },
    "workers": {
        "1": {"median": 100.0, "least": 1.0, "most": 1.0},
        "2": {"median": 180.0, "least": 1.0, "most": 1.0},
    },
    "state": [_crowd(1_000, [100.0, 200.0, 50.0]), _crowd(9_000, [60.0, 100.0, 40.0])],
    "failures": ["Flink: no"],
}


def test_the_page_is_made_of_its_figures():
    """Who changes a figure by hand, or the page, is told to make it anew."""
    made = files(json.loads((DOCS / DATA).read_text(encoding="utf-8")))
    old = [name for name, text in made.items() if (DOCS / name).read_text("utf-8") != text]

    assert not old, f"run `.venv/bin/python -m bench page docs/{DATA}`: {old}"


def test_engines_stand_in_the_order_of_their_speed_with_ratios():
    """The fastest comes first, and what was asked for is computed."""
    page = files(FIGURES)["performance.md"]

    assert page.index("| ours |") < page.index("| Kafka Streams |")
    assert "| the small job, against Kafka Streams exactly once | 3.00 |" in page
    assert "300 [150 to 600]" in page
    assert "1.80 times the work of one" in page


def test_many_leads_are_held_against_few_turn_by_turn():
    """What slows the machine for a minute slows both, so shares are of turns side by side."""
    page = files(FIGURES)["performance.md"]

    assert "| 9,000 | 58 [40 to 100] | 0.68 [0.50 to 0.80] |" in page


def test_what_failed_is_said():
    """A page without an engine's figure says why."""
    assert "## What failed\n- Flink: no" in files(FIGURES)["performance.md"]


def test_bars_are_as_long_as_their_values():
    """A plot shows what the table says."""
    plot = bars(
        "title",
        [
            Bar(label="a & b", value=50, least=40, most=100),
            Bar(label="c", value=25, least=25, most=25),
        ],
    )
    widths = [
        float(each.attrib["width"])
        for each in ET.fromstring(plot).iter(f"{SVG}rect")
        if each.get("height") == "20"
    ]

    assert widths[0] == pytest.approx(2 * widths[1])


def test_lines_are_on_logarithmic_axes():
    """Each decade is as wide as the next, so ratios can be read off."""
    plot = lines("title", {"one": [(10, 1), (100, 10), (1_000, 100)]}, x="x", y="y")
    places = [
        (float(each.attrib["cx"]), float(each.attrib["cy"]))
        for each in ET.fromstring(plot).iter(f"{SVG}circle")
    ]

    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0])
    assert places[1][1] - places[0][1] == pytest.approx(places[2][1] - places[1][1])
    assert places[0][1] > places[1][1]
