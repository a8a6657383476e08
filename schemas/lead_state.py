"""A lead's state to bytes and back: compact, and the same state is always the same bytes.

A byte for the format, eight for the time at which the lead cools (so that it can be had without
reading the rest; none of them if it never does), then the rest as MessagePack.
"""

import struct

import msgspec

from scoring.event import Scalar
from scoring.state import Count, LeadState, ProfileField

FORMAT_VERSION = 2
"""First byte of every state; with the highest bit set for one that never cools."""

_COOLS, _NEVER_COOLS, _FORMAT_1 = FORMAT_VERSION, FORMAT_VERSION | 0x80, 1
_READ = frozenset((_COOLS, _NEVER_COOLS, _FORMAT_1))
"""Format 1, of the first development versions, kept the time among the rest."""

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
    str,
]
_State1 = tuple[
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
_HEAD = struct.Struct(">Bq")
_HEAD_NEVER = bytes((_NEVER_COOLS,))
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_State).decode
_decode_1 = msgspec.msgpack.Decoder(_State1).decode


class UnknownStateVersion(ValueError):
    """A state in a format that this version does not know."""


class CorruptState(ValueError):
    """Bytes that are no state."""


def encode(state: LeadState) -> bytes:
    """Encode a state."""
    at_ms = state.cools_at_ms
    head = _HEAD_NEVER if at_ms is None else _HEAD.pack(_COOLS, at_ms)
    return head + _encode(
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
            state.model_version,
        )
    )


def cools_at_ms(data: bytes) -> int | None:
    """Return when an encoded state cools, in event time; data that `decode` takes."""
    if data[0] == _COOLS:
        return int(_HEAD.unpack_from(data)[1])
    return None if data[0] == _NEVER_COOLS else decode(data).cools_at_ms


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
    if data[0] not in _READ:
        raise UnknownStateVersion(
            f"state format {data[0]}, this version knows up to {FORMAT_VERSION}: "
            "run the version that wrote it, or replay"
        )
    try:
        cools_at, flat = _parts(data)
    except (msgspec.DecodeError, UnicodeDecodeError, struct.error) as error:
        raise CorruptState(f"a state is damaged, restore the changelog topic: {error}") from error
    counts, fast, slow, profile, recent_ids, tier, since, as_of, seq, version = flat
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


def _parts(data: bytes) -> tuple[int | None, _State]:
    if data[0] == _FORMAT_1:
        *first, cools_at, version = _decode_1(memoryview(data)[1:])
        return cools_at, (*first, version)
    rest = len(_HEAD_NEVER) if data[0] == _NEVER_COOLS else _HEAD.size
    return cools_at_ms(data), _decode(memoryview(data)[rest:])


def _count(pair: _Count) -> Count:
    return Count(value=pair[0], ref_ms=pair[1])
