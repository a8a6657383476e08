"""The scoring agent: folds every event of its leads, and says what followed from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.burial import Unreadable, dead_letter
from agents.decoded_states import DecodedStates
from agents.event_reader import EventReader
from agents.lead_states import Lead, LeadStateFormat, LeadStates
from agents.records import Headers, Output, Record
from agents.reducer import Arrival, Effects
from agents.rerouting import Origins, origin_of, owner_of, rerouted
from agents.score_throttle import ScoreThrottle
from agents.state import State
from schemas import cloudevents, lead_state, outputs
from schemas.avro_writer import Row
from schemas.contracts import contract
from schemas.dead_letter_reason import DeadLetterReason
from schemas.encoding import Encoder
from schemas.output_rows import lead_score_row, scored_event_row
from schemas.topics import (
    DEAD_LETTERS,
    LEAD_SCORES,
    REROUTED_EVENTS,
    SCORED_EVENTS,
    TIER_CHANGES,
)
from scoring.event import Event
from scoring.fold import Folded, fire, fold
from scoring.merge import AT_ONCE
from scoring.model import Model
from scoring.outcome import Outcome
from scoring.state import LeadState
from scoring.tier_change import TierChange

MODEL_KEY = b"\x00model"
"""Changelog key of the `state_version` the states were made under."""

OWED_KEY = b"\x00owed"
"""Changelog key of the leads whose latest score is still to be published."""

STATE_FORMAT = LeadStateFormat(frozenset({MODEL_KEY, OWED_KEY}))

TIMERS_MAX = 1_000
"""Timers fired in one stretch; the rest follow in the next."""


class ModelRefused(Exception):
    """The states were made under half-lives or a classification that the model no longer has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringContext:
    """What all tasks of the scoring agent share.

    Parameters
    ----------
    partitions : int
        Partition count of all topics.
    encoders : mapping of str to Encoder
        By output topic.
    decoded : DecodedStates
        What the tasks keep decoded.
    scored_events, lead_scores : bool
        Whether these topics are written.
    state_bytes_max : int
        A form fill after which its lead's state would be larger is a dead letter.
    """

    model: Model
    partitions: int
    reader: EventReader
    encoders: Mapping[str, Encoder]
    decoded: DecodedStates
    scored_events: bool = True
    lead_scores: bool = True
    state_bytes_max: int = 128 << 10


class LeadScoring:
    """States of the leads of one partition.

    Parameters
    ----------
    context : ScoringContext
    partition : int
    """

    def __init__(self, context: ScoringContext, *, partition: int) -> None:
        self._context = context
        self._model = context.model
        self._partition = partition
        self._states: LeadStates | None = None
        self._throttle = ScoreThrottle()
        self._promoted: set[bytes] = set()
        self._outputs: list[Output] = []
        self._model_noted = False
        self._now_ms = 0

    async def prepare(self, records: Sequence[Record]) -> None:
        """Look up the schemas of `records`."""
        await self._context.reader.prepare(records)

    def read(self, records: Sequence[Record]) -> list[Arrival]:
        """Read input records."""
        reader = self._context.reader
        return [reader.read(record) for record in records]

    def condemned(self, record: Record, text: str) -> Arrival:
        """Return the arrival of a record that must not be read."""
        content = Unreadable(reason=DeadLetterReason.QUARANTINED, text=text)
        return Arrival(AT_ONCE, record, content)

    def restore(self, state: State) -> None:
        """Take the states as they were committed.

        Raises
        ------
        ModelRefused
            If they cannot go on under this model.
        """
        noted = state.get(MODEL_KEY)
        self._model_noted = noted is not None
        if noted is not None and noted.decode(errors="replace") != self._model.state_version:
            raise ModelRefused(
                f"the leads' states were made under {noted.decode(errors='replace')}, the model "
                f"{self._model.name!r} needs {self._model.state_version}: half-lives or "
                "classification changed, so the history must be replayed: run `leadvelocity "
                "replay` to see what it gives, and start the worker under a new "
                "LEADVELOCITY_ENGINE__APP_ID to fold the topics anew"
            )
        # Without the topic they stay owed, until it is written again.
        owed = state.get(OWED_KEY) if self._context.lead_scores else None
        self._throttle = ScoreThrottle(owed.split(b"\n") if owed else ())
        self._states = LeadStates(state, decoded=self._context.decoded)

    def fold(self, arrivals: Sequence[Arrival], *, now_ms: int) -> None:
        """Fold a batch in its order."""
        self._now_ms = now_ms
        leads = self._leads.load(
            [each.content.lead_id for each in arrivals if isinstance(each.content, Event)]
        )
        place = 0
        for arrival in arrivals:
            record, received = arrival.record, arrival.content
            if isinstance(received, Event):
                self._event(record, received, leads[place])
                place += 1
            else:
                self._bury(record, origin_of(record), received)

    def next_timer_ms(self) -> int | None:
        """Return when the next lead changes by time alone; at once while scores are owed."""
        return AT_ONCE if self._throttle.next_due_ms() is not None else self._leads.next_due_ms()

    def fire(self, *, until_ms: int, now_ms: int) -> int:
        """Cool the leads that are due; `take` publishes the scores that are."""
        self._now_ms = now_ms
        keys = self._leads.take_due(until_ms=until_ms, leads_max=TIMERS_MAX)
        for lead in self._leads.load([key.decode() for key in keys]):
            assert lead.state is not None, "only leads with a state are due"
            state, changes = fire(lead.state, self._model, lead_id=lead.lead_id, until_ms=until_ms)
            self._leads.put(lead, state)
            self._announce(changes)
            self._fired(lead.key, state, at_ms=state.as_of_ms if changes else until_ms)
        owed_ms = self._throttle.next_due_ms()
        return len(keys) + (owed_ms is not None and owed_ms <= now_ms)

    def take(self) -> Effects:
        """Hand over the outputs, and of each changed lead its state and its latest score."""
        state: dict[bytes, bytes | None] = {}
        if not self._model_noted:
            state[MODEL_KEY] = self._model.state_version.encode()
            self._model_noted = True
        changed = self._leads.take()
        for lead in changed:
            assert lead.state is not None, "only a lead with a state changes"
            state[lead.key] = lead_state.encode(lead.state)
        if self._context.lead_scores:
            self._publish_scores([lead.key for lead in changed])
            if (owed := self._throttle.news()) is not None:
                state[OWED_KEY] = b"\n".join(owed) or None
        self._promoted.clear()
        effects = Effects(outputs=self._outputs, state=state)
        self._outputs = []
        return effects

    def _publish_scores(self, changed: Iterable[bytes]) -> None:
        due = self._throttle.take(changed, self._promoted, now_ms=self._now_ms)
        for lead in self._leads.load([key.decode() for key in due]):
            state = lead.state
            assert state is not None, "only a lead with a state has a score"
            row = lead_score_row(
                lead.lead_id,
                state,
                self._model,
                at_ms=state.as_of_ms,
                updated_at_ms=self._now_ms,
            )
            self._put_row(LEAD_SCORES, lead.key, row)

    def _event(self, record: Record, event: Event, lead: Lead) -> None:
        if lead.state is None and record.topic != REROUTED_EVENTS:
            owner = owner_of(event.lead_id, self._context.partitions)
            if owner != self._partition:
                self._outputs.append(rerouted(record, record, event.lead_id, owner=owner))
                if self._context.scored_events:
                    self._scored(lead.key, record, event)
                return
        folded = fold(lead.state, event, self._model)
        if event.profile and self._outgrows(folded):
            self._bury(record, origin_of(record), self._too_large(event))
            return
        if folded.outcome is not Outcome.DOUBLED:
            self._leads.put(lead, folded.state)
            if folded.changes:
                received_at_ms = origin_of(record).timestamp_ms
                self._announce(folded.changes, received_at_ms, record.headers)
        if self._context.scored_events:
            self._scored(lead.key, origin_of(record), event, folded)

    @property
    def _leads(self) -> LeadStates:
        assert self._states is not None, "states are restored before they are used"
        return self._states

    def _outgrows(self, folded: Folded) -> bool:
        """Only form answers can let a state grow without end; ids and counts are few."""
        return (
            folded.outcome is not Outcome.DOUBLED
            and len(lead_state.encode(folded.state)) > self._context.state_bytes_max
        )

    def _too_large(self, event: Event) -> Unreadable:
        text = (
            f"with its {len(event.profile)} answers the lead's state would be larger than "
            f"{self._context.state_bytes_max} bytes (LEADVELOCITY_ENGINE__STATE_BYTES_MAX)"
        )
        return Unreadable(reason=DeadLetterReason.STATE_TOO_LARGE, text=text)

    def _announce(
        self,
        changes: Sequence[TierChange],
        received_at_ms: int | None = None,
        incoming: Headers = (),
    ) -> None:
        for change in changes:
            caused = change.trigger_event_id is not None
            record = outputs.tier_change_record(
                change,
                emitted_at_ms=self._now_ms,
                received_at_ms=received_at_ms if caused else None,
            )
            headers = cloudevents.headers(
                contract(TIER_CHANGES),
                event_id=cloudevents.tier_change_id(change.lead_id, change.seq),
                subject=change.lead_id,
                time_ms=change.occurred_at_ms,
                incoming=incoming if caused else (),
            )
            key = change.lead_id.encode()
            self._put(TIER_CHANGES, key, record, headers=headers)
            self._promoted.add(key)

    def _fired(self, key: bytes, state: LeadState, *, at_ms: int) -> None:
        """Tell that a timer fired; to fire it again up to `at_ms` gives the same state."""
        if self._context.scored_events:
            row = scored_event_row(
                lead_id=key.decode(),
                occurred_at_ms=at_ms,
                outcome=Outcome.DECAY,
                tier=self._model.tiers[state.tier].name,
                model_version=self._model.version,
            )
            self._put_row(SCORED_EVENTS, key, row)

    def _scored(
        self, key: bytes, origin: Origins, event: Event, folded: Folded | None = None
    ) -> None:
        """Tell what became of an event; None: it was forwarded."""
        model = self._model
        row = scored_event_row(
            lead_id=event.lead_id,
            occurred_at_ms=event.occurred_at_ms,
            event=event,
            outcome=Outcome.FORWARDED if folded is None else folded.outcome,
            signal=None if folded is None else folded.signal,
            weight=0.0 if folded is None else folded.weight,
            points=0.0 if folded is None else folded.points,
            input_topic=origin.topic,
            input_partition=origin.partition,
            input_offset=origin.offset,
            received_at_ms=origin.timestamp_ms,
            tier=None if folded is None else model.tiers[folded.state.tier].name,
            model_version=model.version,
        )
        self._put_row(SCORED_EVENTS, key, row)

    def _bury(self, record: Record, origin: Origins, unreadable: Unreadable) -> None:
        encoder = self._context.encoders[DEAD_LETTERS]
        letter = dead_letter(encoder, record, origin, unreadable, now_ms=self._now_ms)
        self._outputs.append(letter)

    def _put(
        self,
        topic: str,
        key: bytes | None,
        record: Mapping[str, object],
        *,
        headers: Headers = (),
    ) -> None:
        value = self._context.encoders[topic].encode(record)
        self._outputs.append(Output(topic=topic, key=key, value=value, headers=headers))

    def _put_row(self, topic: str, key: bytes, row: Row) -> None:
        value = self._context.encoders[topic].encode_row(row)
        self._outputs.append(Output(topic=topic, key=key, value=value))
