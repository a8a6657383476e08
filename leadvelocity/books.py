"""The books: what went in is what came out, and three ways to count tier changes agree."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from leadvelocity.kafka import extents
from leadvelocity.records import read_topic
from leadvelocity.replaying import Replay
from leadvelocity.roles import clickhouse_of
from leadvelocity.settings import Settings
from schemas.outputs import tier_change_from_record
from schemas.topics import DEAD_LETTERS, INPUT_TOPICS, SCORED_EVENTS, TIER_CHANGES
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.tier_change import TierChange
from sinks.client import query

Change = tuple[str, int, str, int, float]
"""A tier change, as far as all three tellings must agree: lead, seq, tier, time in ms, score."""

SHOWN_MAX = 3
"""Tier changes that a difference names one by one."""

_CHANGES_SQL = (
    "SELECT lead_id, seq, to_tier, toUnixTimestamp64Milli(occurred_at), score"
    " FROM tier_changes FINAL"
)


@dataclass(slots=True, kw_only=True)
class Scored:
    """What `scored-events` says.

    Parameters
    ----------
    outcomes : Counter of Outcome
        Records by outcome.
    replays : list of Replay
        The offline fold of it, by partition.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    replays: list[Replay] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything that must agree, counted since the folder's beginning.

    Parameters
    ----------
    sent : int
        Records in the input topics.
    topic, clickhouse, folded : Counter of Change
        Tier changes as the topic, ClickHouse and the offline fold have them.
    moves : mapping of str to int
        Tier changes of the topic by from→to.
    """

    sent: int
    outcomes: Mapping[Outcome, int]
    dead_lettered: int
    topic: Mapping[Change, int]
    clickhouse: Mapping[Change, int]
    folded: Mapping[Change, int]
    moves: Mapping[str, int] = field(default_factory=dict)


def differences(books: Books) -> list[str]:
    """Return every book that differs, and by what; empty when they balance."""
    found = []
    count = books.outcomes.get
    used = sum(count(each, 0) for each in (Outcome.SCORED, Outcome.UNMATCHED, Outcome.DOUBLED))
    accounted = used + books.dead_lettered
    if books.sent != accounted:
        found.append(
            f"sent {books.sent}, but scored {count(Outcome.SCORED, 0)} + unmatched "
            f"{count(Outcome.UNMATCHED, 0)} + doubled {count(Outcome.DOUBLED, 0)} + dead-lettered "
            f"{books.dead_lettered} = {accounted}: {books.sent - accounted:+d}"
        )
    for name, other in (("ClickHouse", books.clickhouse), ("the offline fold", books.folded)):
        found += _missing(books.topic, other, f"in the topic, not in {name}")
        found += _missing(other, books.topic, f"in {name}, not in the topic")
    return found


def take_books(settings: Settings, model: Model) -> Books:
    """Count everything from the topics and ClickHouse; nothing may be running on them.

    Raises
    ------
    CommandFailed, SinkUnavailable
    """
    scored = fold_scored_events(settings, model)
    inputs = extents(settings.kafka.connection(), INPUT_TOPICS)
    changes = [tier_change_from_record(each.record) for each in read_topic(settings, TIER_CHANGES)]
    return Books(
        sent=sum(each.end for each in inputs),
        outcomes=scored.outcomes,
        dead_lettered=sum(
            each.record["topic"] in INPUT_TOPICS for each in read_topic(settings, DEAD_LETTERS)
        ),
        topic=Counter(map(_change, changes)),
        clickhouse=Counter(query(clickhouse_of(settings), _CHANGES_SQL).rows),
        folded=Counter(_change(each) for replay in scored.replays for each in replay.changes),
        moves=Counter(f"{each.from_tier}→{each.to_tier}" for each in changes),
    )


def fold_scored_events(settings: Settings, model: Model) -> Scored:
    """Fold `scored-events` offline, each partition in its order.

    Raises
    ------
    CommandFailed
    """
    scored = Scored()
    replays: dict[int, Replay] = {}
    for each in read_topic(settings, SCORED_EVENTS):
        scored.outcomes[Outcome(each.record["outcome"])] += 1
        replays.setdefault(each.partition, Replay(model=model)).scored(each.record)
    scored.replays = [replays[partition] for partition in sorted(replays)]
    return scored


def _change(change: TierChange) -> Change:
    return (
        change.lead_id,
        change.seq,
        change.to_tier,
        change.occurred_at_ms,
        change.score.total,
    )


def _missing(here: Mapping[Change, int], there: Mapping[Change, int], what: str) -> Iterable[str]:
    left = Counter(here) - Counter(there)
    if not left:
        return []
    shown = ", ".join(
        f"{lead_id} seq {seq} to {tier} at {at_ms} score {score!r}"
        for lead_id, seq, tier, at_ms, score in sorted(left)[:SHOWN_MAX]
    )
    return [f"{left.total()} tier changes {what}: {shown}{', …' if len(left) > SHOWN_MAX else ''}"]
