"""The velocity agent: counts tier changes by window, over the leads of one partition."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.burial import Unreadable, dead_letter
from agents.records import Output, Record
from agents.reducer import Arrival, Effects
from agents.rerouting import origin_of
from agents.state import State
from schemas import funnel_state, outputs
from schemas.dead_letter_reason import DeadLetterReason, Undecodable
from schemas.decoding import Decoder
from schemas.encoding import Encoder
from schemas.topics import LEAD_VELOCITY
from scoring.funnel import Partial, Place, apply, hot_leads_after
from scoring.merge import AT_ONCE

HOT_LEADS_KEY = b"\x00hot_leads"
"""Changelog key of the number of leads in the highest tier."""

_NOTE = b"\x00"  # begins keys of entries that are no partials, the engine's own among them


@dataclass(frozen=True, slots=True, kw_only=True)
class VelocityContext:
    """What all tasks of the velocity agent share.

    Parameters
    ----------
    top_rank : int
        Rank of the highest tier.
    letters : Encoder
        Of dead letters.
    partials_max : int
        Windows that a task holds; of more, the oldest are let go, and a late change begins
        another part of such a window.
    """

    top_rank: int
    decoder: Decoder
    encoder: Encoder
    letters: Encoder
    partials_max: int


class FunnelStateFormat:
    """What the velocity agent's entries look like."""

    def check(self, key: bytes, value: bytes) -> None:
        """Read an entry wholly.

        Raises
        ------
        CorruptState, UnknownStateVersion
        """
        if not key.startswith(_NOTE):
            funnel_state.decode(value)

    def due_ms(self, key: bytes, value: bytes) -> int | None:  # noqa: ARG002
        """Return None: nothing here happens by time alone."""
        return None  # a compiled body without a statement aborts the process


class LeadVelocity:
    """Partials of one partition.

    Parameters
    ----------
    context : VelocityContext
    partition : int
    """

    def __init__(self, context: VelocityContext, *, partition: int) -> None:
        self._context = context
        self._partition = partition
        self._partials: dict[Place, Partial] = {}
        self._hot_leads = 0
        self._changed: dict[Place, None] = {}
        self._letters: list[Output] = []
        self._let_go: dict[bytes, None] = {}
        self._now_ms = 0

    async def prepare(self, records: Sequence[Record]) -> None:
        """Nothing to look up: tier changes are written by us, with the contract of the day."""

    def read(self, records: Sequence[Record]) -> list[Arrival]:
        """Read tier changes; what somebody else wrote to the topic is told apart."""
        return [self._read(record) for record in records]

    def condemned(self, record: Record, text: str) -> Arrival:
        """Return the arrival of a record that must not be read."""
        return _unreadable(record, DeadLetterReason.QUARANTINED, text)

    def restore(self, state: State) -> None:
        """Take the partials as they were committed."""
        self._hot_leads = int(state.get(HOT_LEADS_KEY) or b"0")
        for key, value in state.items():
            if not key.startswith(_NOTE):
                partial = funnel_state.decode(value)
                self._partials[partial.place] = partial

    def fold(self, arrivals: Sequence[Arrival], *, now_ms: int) -> None:
        """Count a batch of tier changes."""
        self._now_ms = now_ms
        for arrival in arrivals:
            move = arrival.content
            if isinstance(move, Unreadable):
                letters, record = self._context.letters, arrival.record
                letter = dead_letter(letters, record, origin_of(record), move, now_ms=now_ms)
                self._letters.append(letter)
                continue
            self._hot_leads = hot_leads_after(
                self._hot_leads, move, top_rank=self._context.top_rank
            )
            for partial in apply(
                self._partials, move, hot_leads=self._hot_leads, part=arrival.record.offset
            ):
                self._partials[partial.place] = partial
                self._changed[partial.place] = None
                if self._let_go:
                    self._let_go.pop(funnel_state.key(partial.place), None)

    def next_timer_ms(self) -> int | None:
        """Return None: nothing here happens by time alone."""
        return None  # a compiled body without a statement aborts the process

    def fire(self, *, until_ms: int, now_ms: int) -> int:  # noqa: ARG002
        """Return 0: there are no timers."""
        return 0

    def take(self) -> Effects:
        """Hand over the changed partials, each once, in its latest version."""
        effects = Effects(outputs=self._letters)
        self._letters = []
        for place in self._changed:
            partial = self._partials[place]
            record = outputs.lead_velocity_record(
                partial, partition=self._partition, updated_at_ms=self._now_ms
            )
            key = funnel_state.key(place)
            effects.outputs.append(
                Output(topic=LEAD_VELOCITY, key=key, value=self._context.encoder.encode(record))
            )
            effects.state[key] = funnel_state.encode(partial)
        if self._changed:
            effects.state[HOT_LEADS_KEY] = b"%d" % self._hot_leads
        self._forget_oldest()
        effects.state.update(dict.fromkeys(self._let_go))
        self._changed, self._let_go = {}, {}
        return effects

    def _read(self, record: Record) -> Arrival:
        try:
            move = outputs.move_from_record(self._context.decoder.decode(record.value))
        except Undecodable as error:
            return _unreadable(record, error.reason, error.text)
        return Arrival(move.occurred_at_ms, record, move)

    def _forget_oldest(self) -> None:
        excess = len(self._partials) - self._context.partials_max
        if excess > 0:
            for place in sorted(self._partials, key=lambda each: each.start_ms)[:excess]:
                del self._partials[place]
                self._let_go[funnel_state.key(place)] = None


def _unreadable(record: Record, reason: DeadLetterReason, text: str) -> Arrival:
    content = Unreadable(reason=reason, text=text)
    return Arrival(AT_ONCE, record, content)
