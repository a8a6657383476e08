"""Builders that name only what a test is about."""

from dataclasses import replace

import pytest

from scoring.condition import fields_match
from scoring.event import Event, EventType
from scoring.fold import fold
from scoring.model import FitRule, Group, Model, Signal, Tier

INF = float("inf")


@pytest.fixture
def a_signal():
    """Make a signal: website visits, 10 points, half-life 1,000 ms."""

    def make(name="visit", *, on=EventType.WEBSITE_VISIT, when=None, **given):
        fields = {"points": 10.0, "half_life_ms": 1_000, "cap": None, "group": None, **given}
        condition = None if when is None else fields_match(when)
        return Signal(name=name, on=on, when=condition, **fields)

    return make


@pytest.fixture
def a_model(a_signal):
    """Make a model: tiers cold, warm (20/15) and hot (50/40), and one signal."""

    def make(*signals, groups=None, fit=(), dwell_ms=0, **given):
        fields = {
            "name": "test",
            "signals": signals or (a_signal(),),
            "groups": tuple(Group(name=name, cap=cap) for name, cap in (groups or {}).items()),
            "fit": tuple(FitRule(when=fields_match(when), points=points) for when, points in fit),
            "tiers": (
                Tier(name="cold", enter=-INF, exit=-INF, dwell_ms=0),
                Tier(name="warm", enter=20.0, exit=15.0, dwell_ms=dwell_ms),
                Tier(name="hot", enter=50.0, exit=40.0, dwell_ms=dwell_ms),
            ),
            "fast_half_life_ms": 86_400_000,
            "slow_half_life_ms": 14 * 86_400_000,
            "machine_weight": 0.5,
            "recent_ids_max": 64,
            "version": "v1",
            "state_version": "s1",
        }
        return Model(**{**fields, **given})

    return make


@pytest.fixture
def retuned():
    """Return a model with something else in it, and so another version."""

    def make(model, **given):
        return replace(model, version=f"{model.version}+", **given)

    return make


@pytest.fixture
def an_event():
    """Make an event: a website visit with an id of its own."""
    made = []

    def make(at_ms=0, *, on=EventType.WEBSITE_VISIT, event_id=None, machine=None, **given):
        made.append(at_ms)
        fields = {"fields": {}, "profile": {}, **given}
        return Event(
            type=on,
            event_id=f"event-{len(made)}" if event_id is None else event_id,
            lead_id="lead-1",
            occurred_at_ms=at_ms,
            machine=machine,
            **fields,
        )

    return make


@pytest.fixture
def fold_all():
    """Fold many events; return the state and all changes."""

    def run(model, *events, state=None):
        changes = []
        for event in events:
            step = fold(state, event, model)
            state = step.state
            changes += step.changes
        return state, changes

    return run
