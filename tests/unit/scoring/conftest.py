"""Builders that name only what a test is about."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from scoring.condition import fields_match
from scoring.event import Event, EventType
from scoring.fold import fold
from scoring.model import FitRule, Group, Model, Signal, Tier
from scoring.state import LeadState
from scoring.tier_change import TierChange
from tests.unit.scoring.makers import FoldAll, MakeEvent, MakeModel, MakeSignal, Retune

INF = float("inf")


@pytest.fixture
def a_signal() -> MakeSignal:
    """Make a signal: website visits, 10 points, half-life 1,000 ms."""

    def make(
        name: str = "visit",
        *,
        on: EventType = EventType.WEBSITE_VISIT,
        when: dict[str, Any] | None = None,
        **given: Any,
    ) -> Signal:
        fields: dict[str, Any] = {
            "points": 10.0,
            "half_life_ms": 1_000,
            "cap": None,
            "group": None,
            **given,
        }
        condition = None if when is None else fields_match(when)
        return Signal(name=name, on=on, when=condition, **fields)

    return make


@pytest.fixture
def a_model(a_signal: MakeSignal) -> MakeModel:
    """Make a model: tiers cold, warm (20/15) and hot (50/40), and one signal."""

    def make(
        *signals: Signal,
        groups: dict[str, float | None] | None = None,
        fit: Sequence[tuple[dict[str, Any], float]] = (),
        dwell_ms: int = 0,
        **given: Any,
    ) -> Model:
        fields: dict[str, Any] = {
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
def retuned() -> Retune:
    """Return a model with something else in it, and so another version."""

    def make(model: Model, **given: Any) -> Model:
        return replace(model, version=f"{model.version}+", **given)

    return make


@pytest.fixture
def an_event() -> MakeEvent:
    """Make an event: a website visit with an id of its own."""
    made: list[int] = []

    def make(
        at_ms: int = 0,
        *,
        on: EventType = EventType.WEBSITE_VISIT,
        event_id: str | None = None,
        machine: bool | None = None,
        **given: Any,
    ) -> Event:
        made.append(at_ms)
        fields: dict[str, Any] = {"fields": {}, "profile": {}, **given}
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
def fold_all() -> FoldAll:
    """Fold many events; return the state and all changes."""

    def run(
        model: Model, *events: Event, state: LeadState | None = None
    ) -> tuple[LeadState, list[TierChange]]:
        changes: list[TierChange] = []
        for event in events:
            step = fold(state, event, model)
            state = step.state
            changes += step.changes
        assert state is not None
        return state, changes

    return run
