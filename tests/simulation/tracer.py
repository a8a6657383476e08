"""A reducer that leaves a trace: each record becomes one output, and its lead's state a digest."""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Sequence
from random import Random

from agents.records import Output, Record
from agents.reducer import Arrival, Effects
from agents.state import State
from scoring.merge import AT_ONCE
from tests.simulation.virtual_time import pause

OUTPUT, LETTERS = "traces", "letters"
DEADLY = "deadly"
DEADLY_TO_READ, DEADLY_TO_FOLD = b"deadly to read", b"deadly to fold"

Place = bytes
"""Topic and offset of an input record."""


def place(topic: str, offset: int) -> Place:
    return b"%s:%d" % (topic.encode(), offset)


def digest(before: bytes | None, where: Place) -> bytes:
    """The state of a lead after a record: how many there were, and in which order."""
    count, _, code = (before or b"0:0").partition(b":")
    return b"%d:%d" % (int(count) + 1, zlib.crc32(where, int(code)))


def folded(trace: Iterable[tuple[bytes, Place]]) -> tuple[list[bytes], dict[bytes, bytes]]:
    """The pure fold: leads and places in order; the state after each, and the last of each."""
    states: dict[bytes, bytes] = {}
    each_after = []
    for lead, where in trace:
        states[lead] = digest(states.get(lead), where)
        each_after.append(states[lead])
    return each_after, states


class TraceFormat:
    """Digests; none is ever due."""

    def check(self, key: bytes, value: bytes) -> None:
        if b":" not in value:
            raise ValueError(value)

    def due_ms(self, key: bytes, value: bytes) -> int | None:
        return None


class Tracer:
    """Digests of one task; what is not committed lies over the committed state."""

    def __init__(self, chance: Random, die: Callable[[str], None]) -> None:
        self._chance = chance
        self._die = die
        self._state: State | None = None
        self._outputs: list[Output] = []
        self._changed: dict[bytes, bytes | None] = {}
        self._leaving: dict[bytes, bytes | None] = {}

    async def prepare(self, records: Sequence[Record]) -> None:
        if self._chance.random() < 0.3:
            await pause(self._chance)
        else:
            await asyncio.sleep(0)

    def read(self, records: Sequence[Record]) -> list[Arrival]:
        return [self._read(record) for record in records]

    def _read(self, record: Record) -> Arrival:
        if record.value == DEADLY_TO_READ:
            self._die(DEADLY)
        return Arrival(record=record, content=True, time_ms=record.timestamp_ms)

    def condemned(self, record: Record, text: str) -> Arrival:
        return Arrival(record=record, content=False, time_ms=AT_ONCE)

    def restore(self, state: State) -> None:
        assert self._state is None
        self._state = state

    def fold(self, arrivals: Sequence[Arrival], *, now_ms: int) -> None:
        assert self._state is not None
        for arrival in arrivals:
            record = arrival.record
            where = place(record.topic, record.offset)
            if not arrival.content:
                self._outputs.append(Output(topic=LETTERS, key=where, value=record.value))
                continue
            if record.value == DEADLY_TO_FOLD:
                self._die(DEADLY)
            lead = record.key or b""
            before = self._changed.get(lead) or self._leaving.get(lead) or self._state.get(lead)
            self._changed[lead] = digest(before, where)
            self._outputs.append(Output(topic=OUTPUT, key=where, value=self._changed[lead]))

    def next_timer_ms(self) -> int | None:
        return None

    def fire(self, *, until_ms: int, now_ms: int) -> int:
        return 0

    def take(self) -> Effects:
        effects = Effects(outputs=self._outputs, state=dict(self._changed))
        self._outputs, self._leaving, self._changed = [], self._changed, {}
        return effects
