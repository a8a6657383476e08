"""The pure fold, offline: events or scored events in, tier changes and final states out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.rerouting import owner_of
from schemas.events import TOPICS
from schemas.outputs import event_from_scored_record
from schemas.topics import INPUT_TOPICS
from scoring.crossing import next_change_ms
from scoring.event import Event
from scoring.fold import fire, fold
from scoring.merge import Merge, Timed
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.score import contributions_at, score_at
from scoring.state import LeadState
from scoring.tier_change import TierChange
from scoring.velocity import momentum_at, velocity_at


@dataclass(slots=True, kw_only=True)
class Replay:
    """The leads of one partition, folded as its worker does.

    Parameters
    ----------
    changes : list of TierChange
        In the order of their emission.
    """

    model: Model
    states: dict[str, LeadState] = field(default_factory=dict)
    changes: list[TierChange] = field(default_factory=list)

    def event(self, event: Event) -> None:
        """Fold one event."""
        folded = fold(self.states.get(event.lead_id), event, self.model)
        self.states[event.lead_id] = folded.state
        self.changes.extend(folded.changes)

    def scored(self, record: Mapping[str, Any]) -> None:
        """Fold one record of `scored-events`, as far as it moved its lead."""
        outcome = Outcome(record["outcome"])
        if outcome is Outcome.DECAY:
            self.fire(record["lead_id"], until_ms=record["occurred_at"])
        elif outcome in (Outcome.SCORED, Outcome.UNMATCHED):
            self.event(event_from_scored_record(record))

    def fire(self, lead_id: str, *, until_ms: int) -> None:
        """Fire the timers of a lead."""
        state = self.states.get(lead_id)
        if state is not None:
            after, changes = fire(state, self.model, lead_id=lead_id, until_ms=until_ms)
            self.states[lead_id] = after
            self.changes.extend(changes)

    def fire_all(self, *, until_ms: int) -> None:
        """Fire all timers due up to a moment, in the order of their times, then by lead."""
        begin = len(self.changes)
        for lead_id in sorted(self.states):
            self.fire(lead_id, until_ms=until_ms)
        self.changes[begin:] = sorted(
            self.changes[begin:], key=lambda each: (each.occurred_at_ms, each.lead_id, each.seq)
        )


def replay_events(events: Iterable[Event], model: Model, *, partitions: int) -> list[Replay]:
    """Fold events as workers fold them that find all of them waiting.

    Parameters
    ----------
    events : iterable of Event
        In the order in which they were sent.
    model : Model
    partitions : int

    Returns
    -------
    list of Replay
        One for each partition.
    """
    inputs: defaultdict[tuple[int, str], list[Timed]] = defaultdict(list)
    owners: dict[str, int] = {}
    for event in events:
        owner = owners.get(event.lead_id)
        if owner is None:
            owner = owners[event.lead_id] = owner_of(event.lead_id, partitions)
        inputs[owner, TOPICS[event.type]].append(Timed(event.occurred_at_ms, event))
    replays = []
    for partition in range(partitions):
        replay = Replay(model=model)
        merge: Merge[Timed] = Merge(len(INPUT_TOPICS))
        for index, topic in enumerate(INPUT_TOPICS):
            merge.add(index, inputs[partition, topic])
        for sent in merge.pop([True] * len(INPUT_TOPICS), len(merge)):
            replay.event(sent.content)
        replays.append(replay)
    return replays


def document(replays: Iterable[Replay]) -> dict[str, object]:
    """Return tier changes and final states as plain data; equal folds give equal data.

    The changes stand partition by partition, each in the order of emission.
    """
    changes: list[TierChange] = []
    leads: dict[str, object] = {}
    for replay in replays:
        changes.extend(replay.changes)
        for lead_id, state in replay.states.items():
            leads[lead_id] = _lead(state, replay.model)
    return {"tier_changes": [change_row(each) for each in changes], "leads": leads}


def change_row(change: TierChange) -> dict[str, object]:
    """Return a tier change by the names of its contract, without the wall clock's fields."""
    return {
        "lead_id": change.lead_id,
        "seq": change.seq,
        "from_tier": change.from_tier,
        "from_rank": change.from_rank,
        "to_tier": change.to_tier,
        "to_rank": change.to_rank,
        "score": change.score.total,
        "engagement": change.score.engagement,
        "fit": change.score.fit,
        "purchase": change.score.purchase,
        "velocity": change.velocity,
        "momentum": change.momentum,
        "reason": change.reason.value,
        "occurred_at": change.occurred_at_ms,
        "cools_at": change.cools_at_ms,
        "dwell_ms": change.dwell_ms,
        "trigger_event_id": change.trigger_event_id,
        "contributions": list(change.contributions),
        "model": change.model,
        "model_version": change.model_version,
    }


def _lead(state: LeadState, model: Model) -> dict[str, object]:
    at_ms = state.as_of_ms
    score = score_at(state, model, at_ms)
    return {
        "tier": model.tiers[state.tier].name,
        "rank": state.tier,
        "since": state.since_ms,
        "score": score.total,
        "engagement": score.engagement,
        "fit": score.fit,
        "purchase": score.purchase,
        "velocity": velocity_at(state, model, at_ms),
        "momentum": momentum_at(state, model, at_ms),
        "as_of": at_ms,
        "cools_at": next_change_ms(state, model),
        "seq": state.seq,
        "contributions": list(contributions_at(state, model, at_ms)),
        "counts": [
            {"signal": signal.name, "value": count.value, "ref": count.ref_ms}
            for signal, count in zip(model.signals, state.counts, strict=True)
            if count is not None
        ],
        "profile": {each.name: each.value for each in state.profile},
        "model": model.name,
        "model_version": state.model_version,
    }
