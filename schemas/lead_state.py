"""A lead's state to bytes and back: compact, and the same state is always the same bytes."""

import msgspec

from scoring.event import Scalar
from scoring.state import Count, LeadState, ProfileField

FORMAT_VERSION = 1
"""First byte of every state."""

_Count = tuple[float, int]
_State = tuple[
    tuple[_Count | None, ...],
    _Count,
    _Count,
    tuple[tuple[str, Scalar, int], ...],
    tuple[str, ...],
    int,
    int,
    int,
    int,
    int | None,
    str,
]
_HEAD = bytes((FORMAT_VERSION,))
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_State).decode


class UnknownStateVersion(ValueError):
    """A state in a format that this version does not know."""


class CorruptState(ValueError):
    """Bytes that are no state."""


def encode(state: LeadState) -> bytes:
    """Encode a state."""
    return _HEAD + _encode(
        (
            [None if each is None else (each.value, each.ref_ms) for each in state.counts],
            (state.fast.value, state.fast.ref_ms),
            (state.slow.value, state.slow.ref_ms),
            [(each.name, each.value, each.at_ms) for each in state.profile],
            state.recent_ids,
            state.tier,
            state.since_ms,
            state.as_of_ms,
            state.seq,
            state.cools_at_ms,
            state.model_version,
        )
    )


def decode(data: bytes) -> LeadState:
    """Decode a state.

    Raises
    ------
    UnknownStateVersion
        When another version wrote it.
    CorruptState
        When it is damaged.
    """
    if not data:
        raise CorruptState("a state has no bytes: restore the changelog topic, or replay")
    if data[0] != FORMAT_VERSION:
        raise UnknownStateVersion(
            f"state format {data[0]}, this version knows {FORMAT_VERSION}: "
            "run the version that wrote it, or replay"
        )
    try:
        flat = _decode(memoryview(data)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptState(f"a state is damaged, restore the changelog topic: {error}") from error
    counts, fast, slow, profile, recent_ids, tier, since, as_of, seq, cools_at, version = flat
    return LeadState(
        counts=tuple(None if each is None else _count(each) for each in counts),
        fast=_count(fast),
        slow=_count(slow),
        profile=tuple(
            ProfileField(name=name, value=value, at_ms=at_ms) for name, value, at_ms in profile
        ),
        recent_ids=recent_ids,
        tier=tier,
        since_ms=since,
        as_of_ms=as_of,
        seq=seq,
        cools_at_ms=cools_at,
        model_version=version,
    )


def _count(pair: _Count) -> Count:
    return Count(value=pair[0], ref_ms=pair[1])
