"""Who is to blame when a task dies again and again: a pure account, kept in the changelog.

A worker that dies says nothing, so what it was about to do is written down before it is done. A
task that has died too often at the same positions handles its next records one at a time; a
record at the same step of which (reading it, folding it) the task died too often, and never got
through, goes to the dead letters unread.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import msgspec

DEATHS_MAX = 3
"""Take-overs at the same positions before records are handled alone, and deaths of one alone."""

CAUTIOUS_AFTER = 2
"""Take-overs at the same positions after which batches are small, so that few are suspects."""

NEAR_RECORDS_MAX = 50
"""A cautious task that gets no further than this before it dies again has not got on."""

Place = str
"""A step of a record, as ``read topic:offset`` or ``fold topic:offset``."""


class Step(StrEnum):
    """What is done with a record; it may be deadly in either."""

    READ = "read"
    FOLD = "fold"


_Flat = tuple[dict[str, int], int, Place | None, dict[Place, int], int]
_decoder = msgspec.msgpack.Decoder(_Flat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is known of a task's tries at its positions.

    Parameters
    ----------
    positions : mapping of str to int
        Where the task stood.
    take_overs : int
        How often it was taken over right there.
    trying : str or None
        The step of a record that is being made alone just now.
    deaths : mapping of str to int
        In how many deaths a step was under way alone, since it was last survived.
    alone_left : int
        How many records are still to be handled alone.
    """

    positions: Mapping[str, int]
    take_overs: int = 0
    trying: Place | None = None
    deaths: Mapping[Place, int] = field(default_factory=dict)
    alone_left: int = 0

    @property
    def cautious(self) -> bool:
        """Whether batches should be small."""
        return self.take_overs >= CAUTIOUS_AFTER or self.alone

    @property
    def alone(self) -> bool:
        """Whether the next record is to be handled alone."""
        return self.alone_left > 0

    def is_near(self, positions: Mapping[str, int]) -> bool:
        """Whether a task that stands at `positions` got no further, or hardly while cautious."""
        gone = sum(offset - self.positions.get(topic, 0) for topic, offset in positions.items())
        return 0 <= gone <= (NEAR_RECORDS_MAX if self.cautious else 0)

    def condemns(self, topic: str, offset: int) -> bool:
        """Return whether a record must not be tried again."""
        return any(self.deaths.get(place_of(step, topic, offset), 0) >= DEATHS_MAX for step in Step)


def place_of(step: Step, topic: str, offset: int) -> Place:
    """Return the name of a step of a record."""
    return f"{step} {topic}:{offset}"


def taken_over(
    attempt: Attempt | None, positions: Mapping[str, int], *, suspects_max: int
) -> Attempt:
    """Return the attempt of a new owner.

    Parameters
    ----------
    attempt : Attempt or None
        What the owner before wrote last.
    positions : mapping of str to int
        What is committed.
    suspects_max : int
        How many records a cautious task may have under way.
    """
    if attempt is None:
        return Attempt(positions=dict(positions))
    deaths = dict(attempt.deaths)
    if attempt.trying is not None:
        deaths[attempt.trying] = deaths.get(attempt.trying, 0) + 1
    take_overs = attempt.take_overs + 1 if attempt.is_near(positions) else 0
    alone_left = attempt.alone_left
    if take_overs >= DEATHS_MAX and not alone_left:
        alone_left = suspects_max
    return Attempt(
        positions=dict(positions),
        take_overs=take_overs,
        deaths=deaths,
        alone_left=alone_left,
    )


def departed(attempt: Attempt) -> Attempt:
    """Return the attempt of an owner that left in good order before it committed anything."""
    return replace(attempt, take_overs=attempt.take_overs - 1)


def trying(attempt: Attempt, place: Place) -> Attempt:
    """Return the attempt in which a step is about to be made alone."""
    return replace(attempt, trying=place)


def survived(attempt: Attempt) -> Attempt:
    """Return the attempt after the step that was being tried.

    What was survived once is not deadly, so those who died in it were ended from outside.
    """
    deaths = {place: number for place, number in attempt.deaths.items() if place != attempt.trying}
    return replace(attempt, trying=None, deaths=deaths)


def advanced(attempt: Attempt, positions: Mapping[str, int]) -> Attempt:
    """Return the attempt after one record was committed alone."""
    left = attempt.alone_left - 1
    return Attempt(
        positions=dict(positions),
        deaths=attempt.deaths if left else {},
        alone_left=left,
    )


def encode(attempt: Attempt) -> bytes:
    """Return an attempt as bytes."""
    return msgspec.msgpack.encode(
        (
            dict(sorted(attempt.positions.items())),
            attempt.take_overs,
            attempt.trying,
            dict(attempt.deaths),
            attempt.alone_left,
        )
    )


def decode(data: bytes) -> Attempt:
    """Return the attempt in `data`.

    Raises
    ------
    msgspec.DecodeError
        When it is none.
    """
    positions, take_overs, place, deaths, alone_left = _decoder.decode(data)
    return Attempt(
        positions=positions,
        take_overs=take_overs,
        trying=place,
        deaths=deaths,
        alone_left=alone_left,
    )
