"""Watches an engine from outside: how far its group has committed, and what it uses."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from confluent_kafka import Consumer, KafkaException, TopicPartition

from bench.errors import BenchFailed
from bench.inputs import Inputs
from bench.program import Program, Usage
from leadvelocity.kafka import ANSWER_S_MAX
from streams.settings import KafkaConnection

LOOK_EVERY_S = 0.05
START_S_MAX = 90.0
STALL_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at a moment.

    Parameters
    ----------
    at_s : float
        By a clock that only goes forward.
    events : int
        How many the group has committed.
    usages : tuple of Usage
        Of each process of the engine.
    """

    at_s: float
    events: int
    usages: tuple[Usage, ...]

    @property
    def cpu_s(self) -> float:
        """What all have used."""
        return sum(each.cpu_s for each in self.usages)

    @property
    def rss_bytes(self) -> int:
        """What all hold."""
        return sum(each.rss_bytes for each in self.usages)


class GroupPosition:
    """How many records a consumer group has committed; asks without joining it."""

    def __init__(self, connection: KafkaConnection, group: str, inputs: Inputs) -> None:
        self._begins = {(each.topic, each.partition): each.begin for each in inputs.extents}
        self._places = [TopicPartition(each.topic, each.partition) for each in inputs.extents]
        self._consumer = Consumer(
            {
                **connection.librdkafka(),
                "group.id": group,
                # Else the broker would not answer while a transaction of the group is open.
                "isolation.level": "read_uncommitted",
                "log_level": 0,
            }
        )

    def committed(self) -> int:
        """Return how many records of all inputs the group has committed."""
        try:
            held = self._consumer.committed(self._places, timeout=ANSWER_S_MAX)
        except KafkaException:
            return 0  # a new group has no coordinator yet
        return sum(max(0, each.offset - self._begins[each.topic, each.partition]) for each in held)

    def close(self) -> None:
        """Let the broker go."""
        self._consumer.close()


def watch(
    position: GroupPosition, programs: Sequence[Program], *, until: Callable[[Look], bool]
) -> list[Look]:
    """Look at an engine from its first commit until `until` says that it is done.

    Raises
    ------
    BenchFailed
        It ended, never began, or stood still.
    """
    looks: list[Look] = []
    pause = Event()
    moved_s = time.monotonic() + START_S_MAX - STALL_S_MAX
    while not looks or not until(looks[-1]):
        pause.wait(LOOK_EVERY_S)
        for program in programs:
            program.check()
        events = position.committed()
        now_s = time.monotonic()
        if not events and not looks:
            if now_s > moved_s + STALL_S_MAX:
                raise BenchFailed(f"nothing was committed in time; {programs[0].last_lines()}")
            continue
        if not looks:
            for program in programs:
                program.find_children()
        if not looks or events > looks[-1].events:
            moved_s = now_s
        elif now_s > moved_s + STALL_S_MAX:
            raise BenchFailed(f"it stands still at {events}; {programs[0].last_lines()}")
        looks.append(Look(now_s, events, tuple(each.usage() for each in programs)))
    return looks
