"""Strategies: models as plain data, and histories of one lead."""

import json
from typing import Any

from hypothesis import strategies as st

from schemas.model_file import load
from scoring.event import Event, EventType, Scalar
from scoring.model import Model

PATHS = ("/pricing", "/pricing/eu", "/docs/start", "/careers", "/")
LAST_MS = 2_000

Data = dict[str, Any]
"""A model as the plain data of a model file."""

worth = st.sampled_from([1, 2.5, 8, 20, 40])
short = st.sampled_from(["30ms", "75ms", "200ms", "310ms"])
cap = st.none() | st.sampled_from([5, 12.5, 30])


def model_of(data: Data) -> Model:
    """Read a model from plain data (JSON is YAML)."""
    return load(json.dumps(data), file_name="generated")


@st.composite
def models(
    draw: st.DrawFn,
    *,
    name: str = "generated",
    half_lives: st.SearchStrategy[str] = short,
    penalties: bool = True,
) -> Data:
    """Models, by default with half-lives so short that each millisecond can be looked at."""
    rules = [
        ("pricing", "website_visit", {"path": "/pricing*"}, worth),
        ("careers", "website_visit", {"path": ["/careers", "/jobs*"]}, worth.map(lambda x: -x)),
        ("machine", "website_visit", {"machine": True}, worth),
        ("page", "website_visit", None, worth),
        ("open", "email_open", None, worth),
        ("demo", "form_fill", {"form_id": ["demo", 7]}, worth),
    ]
    if not penalties:
        del rules[1]
    signals = [
        without_none(
            {
                "name": signal,
                "on": on,
                "when": when,
                "points": draw(points),
                "half_life": draw(half_lives),
                "cap": draw(cap),
                "group": draw(st.sampled_from([None, "product", "intent"])),
            }
        )
        for signal, on, when, points in rules
    ]
    return {"model": name, "signals": signals, **draw(judging())}


@st.composite
def judging(draw: st.DrawFn) -> Data:
    """What decides over scores: group caps, fit, tiers. Thresholds are no sums of points."""
    hot = draw(st.sampled_from([50.37, 35.11]))
    warm = draw(st.sampled_from([20.29, 6.13]))
    slack = draw(st.sampled_from([0, 3.07]))
    dwell = st.sampled_from(["0s", "40ms", "500ms"])
    fit = st.sampled_from([[], [({"country": ["US", "D*"]}, 9), ({"profile.size": 250}, -6.5)]])
    return {
        "groups": {
            "product": without_none({"cap": draw(cap)}),
            "intent": without_none({"cap": draw(cap)}),
        },
        "fit": [{"when": when, "points": points} for when, points in draw(fit)],
        "tiers": [
            {"name": "hot", "enter": hot, "exit": hot - 3 * slack, "dwell": draw(dwell)},
            {"name": "warm", "enter": warm, "exit": warm - slack, "dwell": draw(dwell)},
            {"name": "cold"},
        ],
        "machine": {"weight": draw(st.sampled_from([0.0, 0.2, 1.0]))},
    }


def without_none(entry: Data) -> Data:
    """Leave out what is not set."""
    return {key: value for key, value in entry.items() if value is not None}


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Events of one lead, at any time."""
    kind = draw(st.sampled_from(EventType))
    fields: dict[str, Scalar] = {}
    profile: dict[str, Scalar] = {}
    if kind is EventType.WEBSITE_VISIT:
        fields = {"url": f"https://example.com{draw(st.sampled_from(PATHS))}?q=/pricing"}
    elif kind is EventType.FORM_FILL:
        fields = {"form_id": draw(st.sampled_from(["demo", "7", "news"]))}
        profile = draw(
            st.dictionaries(
                st.sampled_from(["country", "size"]), st.sampled_from(["US", "DE", "FR", 250, None])
            )
        )
    return Event(
        type=kind,
        event_id=f"event-{draw(st.integers(0, 30))}",
        lead_id="lead-1",
        occurred_at_ms=draw(st.integers(0, LAST_MS)),
        machine=draw(st.sampled_from([None, None, False, True])),
        fields=fields,
        profile=profile,
    )


mostly_in_order = st.lists(events(), max_size=25).flatmap(
    lambda many: st.sampled_from(
        [
            sorted(many, key=lambda one: one.occurred_at_ms),
            sorted(many, key=lambda one: one.occurred_at_ms // 400),
            many,
        ]
    )
)
"""Histories in order, a little out of order, and wholly out of order; ids may repeat."""

distinct = st.lists(
    events(), max_size=25, unique_by=(lambda one: one.event_id, lambda one: one.occurred_at_ms)
)
"""Sets of events: no id and no time twice."""
