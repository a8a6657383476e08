"""From the shape of a model file to the core's model, with its identity."""

import hashlib
import json
from collections.abc import Mapping
from math import inf

from schemas.model_file.shape import ModelShape, SignalShape, TierShape, VelocityShape
from scoring.model import FitRule, Group, Model, Signal, Tier

VERSION_HEX_DIGITS = 12


def build(shape: ModelShape) -> Model:
    """Return the model of a file that has no problems.

    Parameters
    ----------
    shape : ModelShape

    Returns
    -------
    Model
        Its `version` is the hash of the canonical form: defaults filled in, durations in
        milliseconds, keys and alternatives sorted. So neither the order of keys nor the spelling
        of a value changes it; the order of signals, fit rules and tiers does.
    """
    signals = tuple(_signal(one, shape.half_life) for one in shape.signals)
    groups = _groups(shape, signals)
    fit = tuple(FitRule(when=rule.when, points=rule.points) for rule in shape.fit or ())
    tiers = tuple(_tier(one) for one in reversed(shape.tiers))
    velocity = shape.velocity or VelocityShape()
    canonical: dict[str, object] = {
        "model": shape.model,
        "signals": [_signal_form(one) for one in signals],
        "groups": {group.name: group.cap for group in groups},
        "fit": [{"when": rule.when.source, "points": rule.points} for rule in fit],
        "tiers": [_tier_form(one) for one in tiers],
        "velocity": [velocity.fast, velocity.slow],
        "machine_weight": 1.0 if shape.machine is None else shape.machine.weight,
        "recent_ids": shape.recent_ids,
    }
    return Model(
        name=shape.model,
        signals=signals,
        groups=groups,
        fit=fit,
        tiers=tiers,
        fast_half_life_ms=velocity.fast,
        slow_half_life_ms=velocity.slow,
        machine_weight=1.0 if shape.machine is None else shape.machine.weight,
        recent_ids_max=shape.recent_ids,
        version=_hash(canonical),
        state_version=_hash(_state_form(canonical, signals, tiers)),
    )


def _signal(shape: SignalShape, default_half_life_ms: int | None) -> Signal:
    half_life_ms = shape.half_life or default_half_life_ms
    assert half_life_ms is not None, "checked with the file"
    return Signal(
        name=shape.name,
        on=shape.event_type,
        points=shape.points,
        half_life_ms=half_life_ms,
        cap=shape.cap,
        group=shape.group,
        when=shape.when,
    )


def _groups(shape: ModelShape, signals: tuple[Signal, ...]) -> tuple[Group, ...]:
    """Return groups by name; a file without any gives those that signals name no cap."""
    if shape.groups is None:
        return tuple(
            Group(name=name, cap=None)
            for name in sorted({signal.group for signal in signals if signal.group is not None})
        )
    return tuple(
        Group(name=name, cap=None if group is None else group.cap)
        for name, group in sorted(shape.groups.items())
    )


def _tier(shape: TierShape) -> Tier:
    return Tier(
        name=shape.name,
        enter=-inf if shape.enter is None else shape.enter,
        exit=-inf if shape.exit is None else shape.exit,
        dwell_ms=shape.dwell,
    )


def _signal_form(signal: Signal) -> dict[str, object]:
    return {
        "name": signal.name,
        "on": signal.on.value,
        "when": None if signal.when is None else signal.when.source,
        "points": signal.points,
        "half_life_ms": signal.half_life_ms,
        "cap": signal.cap,
        "group": signal.group,
    }


def _tier_form(tier: Tier) -> dict[str, object]:
    lowest = tier.enter == -inf
    return {
        "name": tier.name,
        "enter": None if lowest else tier.enter,
        "exit": None if lowest else tier.exit,
        "dwell_ms": tier.dwell_ms,
    }


def _state_form(
    canonical: Mapping[str, object], signals: tuple[Signal, ...], tiers: tuple[Tier, ...]
) -> dict[str, object]:
    """Give what a lead's state depends on: places of signals and tiers, and every half-life."""
    return {
        "signals": [
            {key: _signal_form(one)[key] for key in ("name", "on", "when", "half_life_ms")}
            for one in signals
        ],
        "tiers": [tier.name for tier in tiers],
        "velocity": canonical["velocity"],
        "machine_weight": canonical["machine_weight"],
    }


def _hash(canonical: Mapping[str, object]) -> str:
    text = json.dumps(
        canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_HEX_DIGITS]
