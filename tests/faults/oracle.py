"""Says what is wrong with what the topics hold: each violation by its name."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from agents.rerouting import owner_of
from leadvelocity.replaying import Replay
from schemas import lead_state, outputs
from schemas.topics import OUTPUT_TOPICS
from scoring.model import Model
from scoring.outcome import Outcome
from tests.e2e.exact_rules import MonotoneOracle, as_event
from tests.faults.reading import Kept, Place, Snapshot, as_text, by_partition, rows_of

SHOWN_MAX = 5
INDEPENDENT_LEADS_MAX = 60
"""Leads that the slow independent fold is held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that was broken, and where."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the oracle found.

    Parameters
    ----------
    events : int
        Input records.
    """

    events: int
    violations: list[Violation] = field(default_factory=list)

    def count(self, name: str) -> int:
        """Return how many violations have a name."""
        return sum(each.name == name for each in self.violations)

    def __str__(self) -> str:
        counts = Counter(each.name for each in self.violations)
        shown = [
            f"  {each.name}: {each.text}"
            for name in counts
            for each in [one for one in self.violations if one.name == name][:SHOWN_MAX]
        ]
        return "\n".join([f"{self.events} events, violations {dict(counts)}", *shown])


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the test knows beside the topics.

    Parameters
    ----------
    sent : list of dict
        The lines that were sent.
    poison : set of Place
        Inputs that must be dead letters; no other may be.
    left_out : set of str
        Leads that the slow independent fold passes over.
    caught_up : bool
        Whether nothing was left to fold; else an input may still be without outcome.
    """

    model: Model
    rules: Mapping[str, Any]
    partitions: int
    sent: Iterable[Mapping[str, Any]] = ()
    left_out: frozenset[str] = frozenset()
    poison: frozenset[Place] = frozenset()
    caught_up: bool = True


Check = Callable[[Snapshot, Expected], Iterator[Violation]]


def judge(snapshot: Snapshot, expected: Expected) -> Verdict:
    """Hold the topics against every promise."""
    checks: tuple[Check, ...] = (
        each_input_once,
        poison_is_buried_whole,
        inputs_in_order,
        seq_without_gap,
        independent_fold,
    )
    replays = _replays(snapshot, expected.model)
    return Verdict(
        events=len(snapshot.inputs),
        violations=[
            *(each for check in checks for each in check(snapshot, expected)),
            *positions_behind_effects(snapshot),
            *changes_are_the_fold_of_the_trace(snapshot, replays),
            *states_are_the_fold_of_the_trace(snapshot, replays),
        ],
    )


def each_input_once(snapshot: Snapshot, expected: Expected) -> Iterator[Violation]:
    """Each input has one end: scored, unmatched, doubled or a dead letter; forwarded before."""
    ends: Counter[Place] = Counter(_origin(each) for each in snapshot.letters)
    forwarded: Counter[Place] = Counter()
    for each in _inputs(snapshot.scored):
        place = _input(each)
        if each.record["outcome"] == Outcome.FORWARDED:
            forwarded[place] += 1
        else:
            ends[place] += 1
            owner = owner_of(each.record["lead_id"], expected.partitions)
            if forwarded[place] and each.partition != owner:
                yield Violation(name="not_at_owner", text=as_text(each.record))
    for place in snapshot.inputs:
        if not ends[place] and expected.caught_up:
            yield Violation(name="lost", text=f"{place}, forwarded {forwarded[place]} times")
    for place, count in (ends | forwarded).items():
        if place not in snapshot.inputs:
            yield Violation(name="invented", text=str(place))
        elif count > 1:
            yield Violation(name="doubled", text=f"{place}: {count} times")


def poison_is_buried_whole(snapshot: Snapshot, expected: Expected) -> Iterator[Violation]:
    """Dead letters are exactly the poison, with its bytes."""
    buried = {_origin(each): each.record for each in snapshot.letters}
    for place, letter in buried.items():
        if place not in expected.poison:
            yield Violation(name="innocent_buried", text=f"{place}: {letter['reason']}")
        elif not _holds(letter, snapshot.inputs.get(place)):
            yield Violation(name="bytes_differ", text=f"{place}: {letter['reason']}")
    if expected.caught_up:
        for place in expected.poison - buried.keys():
            yield Violation(name="poison_scored", text=str(place))


def _holds(letter: dict[str, Any], value: bytes | None) -> bool:
    """Whether a letter has a record's bytes; of one beyond its bound the first, and says so."""
    kept: bytes | None = letter["value"]
    if kept == value:
        return True
    return (
        bool(kept and value)
        and (value or b"").startswith(kept or b"")
        and "(kept " in letter["reason"]
    )


def inputs_in_order(snapshot: Snapshot, expected: Expected) -> Iterator[Violation]:
    """Within an input partition nothing is folded before what came before it."""
    last: dict[tuple[str, int, int, bool], int] = {}
    for each in _inputs(snapshot.scored):
        topic, partition, offset = _input(each)
        forwarded = each.record["outcome"] == Outcome.FORWARDED
        stray = forwarded or each.partition != partition
        stream = (topic, partition, each.partition, stray)
        if offset <= last.get(stream, -1) and not forwarded:
            yield Violation(name="disordered", text=f"{topic}-{partition} {offset}")
        last[stream] = offset


def positions_behind_effects(snapshot: Snapshot) -> Iterator[Violation]:
    """No committed offset is beyond an input without an effect; holds amid work too."""
    done = {_origin(each) for each in snapshot.letters} | {
        _input(each) for each in _inputs(snapshot.scored)
    }
    for place in snapshot.inputs:
        topic, partition, offset = place
        if offset < snapshot.committed.get((topic, partition), 0) and place not in done:
            yield Violation(name="committed_ahead", text=str(place))


def changes_are_the_fold_of_the_trace(
    snapshot: Snapshot, replays: Mapping[int, Replay]
) -> Iterator[Violation]:
    """Folding `scored-events` again gives the tier changes of the topic, one by one."""
    changes = by_partition(snapshot.changes)
    for partition, replay in replays.items():
        told = [outputs.tier_change_from_record(each.record) for each in changes.pop(partition, ())]
        for wanted, found in zip(replay.changes, told, strict=False):
            if wanted != found:
                yield Violation(name="change_differs", text=f"{found}, wanted {wanted}")
                break
        for each in replay.changes[len(told) :]:
            yield Violation(name="change_missing", text=str(each))
        for each in told[len(replay.changes) :]:
            yield Violation(name="change_extra", text=str(each))
    for left in (one for records in changes.values() for one in records):
        yield Violation(name="change_extra", text=as_text(left.record))


def states_are_the_fold_of_the_trace(
    snapshot: Snapshot, replays: Mapping[int, Replay]
) -> Iterator[Violation]:
    """The changelog and `lead-scores` hold the states of that fold, byte for byte."""
    scores = {each.record["lead_id"]: each.record for each in snapshot.scores}
    wanted = {
        lead_id: (state, replay.model)
        for replay in replays.values()
        for lead_id, state in replay.states.items()
    }
    for lead_id, (state, model) in wanted.items():
        held = snapshot.states.get(lead_id.encode())
        if held != lead_state.encode(state):
            found = "nothing" if held is None else _decoded(held)
            yield Violation(name="state_differs", text=f"{lead_id}: {found}, wanted {state}")
        told = scores.get(lead_id, {"updated_at": 0})
        score = outputs.lead_score_record(
            lead_id,
            state,
            model,
            at_ms=state.as_of_ms,
            updated_at_ms=told["updated_at"],
        )
        if told != score:
            yield Violation(name="score_differs", text=f"{as_text(told)}, wanted {as_text(score)}")
    for key in snapshot.states.keys() - {each.encode() for each in wanted}:
        yield Violation(name="state_invented", text=str(key))


def seq_without_gap(snapshot: Snapshot, expected: Expected) -> Iterator[Violation]:
    """Each lead's changes count 1, 2, 3 … in offset order, each from where the last one went."""
    last: defaultdict[str, tuple[int, str | None]] = defaultdict(lambda: (0, None))
    for each in snapshot.changes:
        record = each.record
        seq, tier = last[record["lead_id"]]
        if record["seq"] != seq + 1 or tier not in (None, record["from_tier"]):
            yield Violation(name="seq", text=f"after {seq} {tier}: {as_text(record)}")
        last[record["lead_id"]] = (record["seq"], record["to_tier"])


def independent_fold(snapshot: Snapshot, expected: Expected) -> Iterator[Violation]:
    """What was sent, in the order of the trace, gives these changes by the exact rules alone."""
    sent = {each["event_id"]: each for each in expected.sent}
    leads = sorted({each["lead_id"] for each in sent.values()} - expected.left_out)
    chosen = set(Random(len(leads)).sample(leads, min(len(leads), INDEPENDENT_LEADS_MAX)))
    folds = {lead: MonotoneOracle(dict(expected.rules)) for lead in chosen}
    for each in snapshot.scored:
        record = each.record
        fold = folds.get(record["lead_id"])
        if fold is None or record["outcome"] == Outcome.FORWARDED:
            continue
        if record["outcome"] == Outcome.DECAY:
            fold.pass_time(record["occurred_at"])
            continue
        doubled = record["event_id"] in fold.ids[-64:]
        if doubled != (record["outcome"] == Outcome.DOUBLED):
            yield Violation(name="double_misjudged", text=as_text(record))
        fold.event(as_event(dict(sent[record["event_id"]])))
    told = defaultdict(list)
    for each in snapshot.changes:
        told[each.record["lead_id"]].append(each.record)
    for lead, fold in folds.items():
        wanted = [(one["seq"], one["from"], one["to"], one["at"]) for one in fold.changes]
        found = [
            (one["seq"], one["from_tier"], one["to_tier"], one["occurred_at"]) for one in told[lead]
        ]
        if wanted != found:
            yield Violation(name="independent_fold", text=f"{lead}: {found}, wanted {wanted}")


def judge_rows(snapshot: Snapshot, sql: Callable[[str], list[dict[str, Any]]]) -> list[Violation]:
    """Hold ClickHouse against the topics: each record is a row, once."""
    found = []
    for topic in OUTPUT_TOPICS:
        newest_only = topic in ("lead-scores", "lead-velocity")
        rows = Counter(
            (int(each["p"]), int(offset))
            for each in rows_of(sql, topic)
            for offset in each["offsets"]
        )
        records = {(each.partition, each.offset) for each in _newest(snapshot, topic)}
        for name, places in (
            ("row_missing", records - rows.keys()),
            ("row_extra", set() if newest_only else rows.keys() - records),
            ("row_doubled", {place for place, count in rows.items() if count > 1}),
        ):
            found += [Violation(name=name, text=f"{topic} {place}") for place in sorted(places)]
    return found


def _newest(snapshot: Snapshot, topic: str) -> Iterable[Kept]:
    """Return what a table keeps of a topic: all, or the newest record of each thing."""
    records = snapshot.of(topic)
    if topic == "lead-scores":
        return {each.record["lead_id"]: each for each in records}.values()
    if topic == "lead-velocity":
        names = ("segment", "window", "window_start", "partition", "part")
        return {tuple(each.record[name] for name in names): each for each in records}.values()
    return records


def _replays(snapshot: Snapshot, model: Model) -> dict[int, Replay]:
    replays: dict[int, Replay] = {}
    for each in snapshot.scored:
        replays.setdefault(each.partition, Replay(model=model)).scored(each.record)
    return replays


def _inputs(scored: Iterable[Kept]) -> Iterator[Kept]:
    return (each for each in scored if each.record["outcome"] != Outcome.DECAY)


def _input(each: Kept) -> Place:
    record = each.record
    return (record["input_topic"], record["input_partition"], record["input_offset"])


def _origin(each: Kept) -> Place:
    record = each.record
    return (record["topic"], record["partition"], record["offset"])


def _decoded(value: bytes) -> str:
    try:
        return str(lead_state.decode(value))
    except ValueError as error:
        return repr(error)
