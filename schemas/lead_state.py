"""A lead's state to bytes and back: compact, and the same state is always the same bytes.

A byte for the format, eight for the time at which the lead is due (so that it can be had without
reading the rest; none of them if it never is), then the rest as MessagePack.
"""

import struct

import msgspec

from scoring.state import Count, LeadState, ProfileField

FORMAT_VERSION = 2
"""First byte of every state; with the highest bit set for one that never cools."""

_COOLS, _NEVER_COOLS, _FORMAT_1 = FORMAT_VERSION, FORMAT_VERSION | 0x80, 1
_READ = frozenset((_COOLS, _NEVER_COOLS, _FORMAT_1))
"""Format 1, of the first development versions, kept the time among the rest."""

_Rest = tuple[
    tuple[Count | None, ...],
    Count,
    Count,
    tuple[ProfileField, ...],
    tuple[str, ...],
    int,
    int,
    int,
    int,
    str,
]
"""A state's fields but the last."""

_Rest1 = tuple[
    tuple[Count | None, ...],
    Count,
    Count,
    tuple[ProfileField, ...],
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
_decode = msgspec.msgpack.Decoder(_Rest).decode
_decode_1 = msgspec.msgpack.Decoder(_Rest1).decode


class UnknownStateVersion(ValueError):
    """A state in a format that this version does not know."""


class CorruptState(ValueError):
    """Bytes that are no state."""


def encode(state: LeadState) -> bytes:
    """Encode a state."""
    head = _HEAD_NEVER if state.due_ms is None else _HEAD.pack(_COOLS, state.due_ms)
    return head + _encode(state[:-1])


def due_ms(data: bytes) -> int | None:
    """Return when an encoded state is due, in event time; data that `decode` takes."""
    if data[0] == _COOLS:
        return int(_HEAD.unpack_from(data)[1])
    return None if data[0] == _NEVER_COOLS else decode(data).due_ms


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
        return _state(data)
    except (msgspec.DecodeError, UnicodeDecodeError, struct.error) as error:
        raise CorruptState(f"a state is damaged, restore the changelog topic: {error}") from error


def _state(data: bytes) -> LeadState:
    if data[0] == _FORMAT_1:
        *first, due, version = _decode_1(memoryview(data)[1:])
        return LeadState(*first, version, due)
    if data[0] == _NEVER_COOLS:
        return LeadState(*_decode(memoryview(data)[len(_HEAD_NEVER) :]), due_ms=None)
    return LeadState(*_decode(memoryview(data)[_HEAD.size :]), due_ms=due_ms(data))
