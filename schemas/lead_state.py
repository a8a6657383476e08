"""A lead's state to bytes and back: compact, and the same state is always the same bytes.

A byte for the format, eight for the time at which the lead is due (so that it can be had without
reading the rest; none of them if it never is), then the rest as MessagePack.
"""

import struct
from collections.abc import Callable
from math import inf
from typing import Any, Final

import msgspec
from librt.strings import BytesWriter, write_i64_be

from schemas import messagepack
from scoring.recent_ids import DIGEST_BYTES, recent_ids_of
from scoring.state import Count, LeadState, ProfileField

FORMAT_VERSION: Final = 3
"""First byte of every state; with the highest bit set for one that is never due."""

_DUE: Final = FORMAT_VERSION
_NEVER_DUE: Final = FORMAT_VERSION | 0x80
_DUE_2, _NEVER_DUE_2, _FORMAT_1 = 2, 0x82, 1
"""Format 2 had whole event ids; format 1 kept the due time among the rest as well."""

_HEADLESS = frozenset((_NEVER_DUE, _NEVER_DUE_2))

_Count = tuple[float, int]
_Counts = tuple[_Count | None, ...]
_Profile = tuple[tuple[str, str | int | float | bool | None, int], ...]
_Ids = tuple[str, ...]
_Rest = tuple[_Counts, _Count, _Count, _Profile, bytes, int, int, int, int, str, float]
"""A state's fields but the last, as they stand in MessagePack."""

_REST_FIELDS: Final = 11
_COUNT_FIELDS: Final = 2
_PROFILE_FIELDS: Final = 3

_Rest2 = tuple[_Counts, _Count, _Count, _Profile, _Ids, int, int, int, int, str]
_Rest1 = tuple[_Counts, _Count, _Count, _Profile, _Ids, int, int, int, int, int | None, str]

_HEAD = struct.Struct(">Bq")
_decode = msgspec.msgpack.Decoder(_Rest).decode
_decode_2 = msgspec.msgpack.Decoder(_Rest2).decode
_decode_1 = msgspec.msgpack.Decoder(_Rest1).decode


class UnknownStateVersion(ValueError):
    """A state in a format that this version does not know."""


class CorruptState(ValueError):
    """Bytes that are no state."""


def encode(state: LeadState) -> bytes:
    """Encode a state."""
    out = BytesWriter()
    if state.due_ms is None:
        out.append(_NEVER_DUE)
    else:
        out.append(_DUE)
        write_i64_be(out, state.due_ms)
    messagepack.write_array_head(out, _REST_FIELDS)
    messagepack.write_array_head(out, len(state.counts))
    for count in state.counts:
        if count is None:
            messagepack.write_nil(out)
        else:
            _write_count(out, count.value, count.ref_ms)
    _write_count(out, state.fast, state.points_ref_ms)
    _write_count(out, state.slow, state.points_ref_ms)
    messagepack.write_array_head(out, len(state.profile))
    for field in state.profile:
        messagepack.write_array_head(out, _PROFILE_FIELDS)
        messagepack.write_text(out, field.name)
        messagepack.write_scalar(out, field.value)
        messagepack.write_int(out, field.at_ms)
    messagepack.write_bytes(out, state.recent_ids)
    messagepack.write_int(out, state.tier)
    messagepack.write_int(out, state.since_ms)
    messagepack.write_int(out, state.as_of_ms)
    messagepack.write_int(out, state.seq)
    messagepack.write_text(out, state.model_version)
    messagepack.write_float(out, state.ceiling)
    return out.getvalue()


def _write_count(out: BytesWriter, value: float, ref_ms: int) -> None:
    messagepack.write_array_head(out, _COUNT_FIELDS)
    messagepack.write_float(out, value)
    messagepack.write_int(out, ref_ms)


def due_ms(data: bytes) -> int | None:
    """Return when an encoded state is due, in event time; data that `decode` takes."""
    if data[0] in (_DUE, _DUE_2):
        return int(_HEAD.unpack_from(data)[1])
    return None if data[0] in _HEADLESS else decode(data).due_ms


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
    read = _READERS.get(data[0])
    if read is None:
        raise UnknownStateVersion(
            f"state format {data[0]}, this version knows up to {FORMAT_VERSION}: "
            "run the version that wrote it, or replay"
        )
    try:
        state = read(data)
    except (msgspec.DecodeError, UnicodeDecodeError, struct.error) as error:
        raise CorruptState(f"a state is damaged, restore the changelog topic: {error}") from error
    if len(state.recent_ids) % DIGEST_BYTES:
        raise CorruptState("a state is damaged, restore the changelog topic: half an id")
    return state


def _read_due(data: bytes) -> LeadState:
    return _state(_decode(memoryview(data)[_HEAD.size :]), _HEAD.unpack_from(data)[1])


def _read_never_due(data: bytes) -> LeadState:
    return _state(_decode(memoryview(data)[1:]), None)


def _read_2(data: bytes) -> LeadState:
    *before, recent_ids, tier, since_ms, as_of_ms, seq, version = _decode_2(_rest(data))
    return _old(before, recent_ids, (tier, since_ms, as_of_ms, seq, version), due_ms(data))


def _read_1(data: bytes) -> LeadState:
    rest = _decode_1(memoryview(data)[1:])
    *before, recent_ids, tier, since_ms, as_of_ms, seq, due, version = rest
    return _old(before, recent_ids, (tier, since_ms, as_of_ms, seq, version), due)


def _old(before: Any, recent_ids: _Ids, after: Any, due: int | None) -> LeadState:
    return _state((*before, recent_ids_of(recent_ids), *after, inf), due)


def _state(rest: _Rest, due: int | None) -> LeadState:
    counts, fast, slow, profile, recent_ids, tier, since_ms, as_of_ms, seq, version, ceiling = rest
    if fast[1] != slow[1]:
        raise CorruptState("a state is damaged, restore the changelog topic: sums of two moments")
    return LeadState(
        tuple([None if each is None else Count(each[0], each[1]) for each in counts]),
        fast[0],
        slow[0],
        fast[1],
        tuple([ProfileField(each[0], each[1], each[2]) for each in profile]),
        recent_ids,
        tier,
        since_ms,
        as_of_ms,
        seq,
        version,
        ceiling,
        due,
    )


def _rest(data: bytes) -> memoryview:
    return memoryview(data)[1 if data[0] in _HEADLESS else _HEAD.size :]


_READERS: dict[int, Callable[[bytes], LeadState]] = {
    _DUE: _read_due,
    _NEVER_DUE: _read_never_due,
    _DUE_2: _read_2,
    _NEVER_DUE_2: _read_2,
    _FORMAT_1: _read_1,
}
