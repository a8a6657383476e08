"""A lead's state to bytes and back: compact, and the same state is always the same bytes.

A byte for the format, eight for the time at which the lead is due (so that it can be had without
reading the rest; none of them if it never is), then the rest as MessagePack.
"""

from collections.abc import Callable
from math import inf
from sys import intern
from typing import Final

import msgspec
from librt.strings import BytesWriter, read_i64_be, write_i64_be
from mypy_extensions import i64

from schemas import messagepack
from schemas.messagepack_cursor import Cursor, NotMessagePack
from scoring.recent_ids import DIGEST_BYTES, recent_ids_of
from scoring.state import Count, LeadState, ProfileField

FORMAT_VERSION: Final = 3
"""First byte of every state; with the highest bit set for one that is never due."""

_DUE: Final = FORMAT_VERSION
_NEVER_DUE: Final = FORMAT_VERSION | 0x80
_DUE_2, _NEVER_DUE_2, _FORMAT_1 = 2, 0x82, 1
"""Format 2 had whole event ids; format 1 kept the due time among the rest as well."""

_HEADLESS = frozenset((_NEVER_DUE, _NEVER_DUE_2))
_HEAD_BYTES: Final = 1 + 8

_REST_FIELDS: Final = 11
_COUNT_FIELDS: Final = 2
_PROFILE_FIELDS: Final = 3

_Count = tuple[float, int]
_Counts = tuple[_Count | None, ...]
_Profile = tuple[tuple[str, str | int | float | bool | None, int], ...]
_Ids = tuple[str, ...]
_Rest2 = tuple[_Counts, _Count, _Count, _Profile, _Ids, int, int, int, int, str]
_Rest1 = tuple[_Counts, _Count, _Count, _Profile, _Ids, int, int, int, int, int | None, str]

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
        return read_i64_be(data, 1)
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
    except (msgspec.DecodeError, NotMessagePack, IndexError, UnicodeDecodeError) as error:
        raise CorruptState(f"a state is damaged, restore the changelog topic: {error}") from error
    if len(state.recent_ids) % DIGEST_BYTES:
        raise CorruptState("a state is damaged, restore the changelog topic: half an id")
    return state


def _read(data: bytes) -> LeadState:
    never_due = data[0] == _NEVER_DUE
    due = None if never_due else read_i64_be(data, 1)
    cursor = Cursor(data, 1 if never_due else _HEAD_BYTES)
    _expect(cursor, _REST_FIELDS)
    counts = tuple([_read_count(cursor) for _ in range(cursor.array_items())])
    _expect(cursor, _COUNT_FIELDS)
    fast, fast_ref_ms = cursor.double(), cursor.whole()
    _expect(cursor, _COUNT_FIELDS)
    slow, slow_ref_ms = cursor.double(), cursor.whole()
    if fast_ref_ms != slow_ref_ms:
        raise NotMessagePack("sums of two moments")
    profile = tuple([_read_field(cursor) for _ in range(cursor.array_items())])
    state = LeadState(
        counts,
        fast,
        slow,
        fast_ref_ms,
        profile,
        cursor.sized(),
        cursor.whole(),
        cursor.whole(),
        cursor.whole(),
        cursor.whole(),
        intern(cursor.text()),
        cursor.double(),
        due,
    )
    cursor.check_end()
    return state


def _read_count(cursor: Cursor) -> Count | None:
    if cursor.nil():
        return None
    _expect(cursor, _COUNT_FIELDS)
    return Count(cursor.double(), cursor.whole())


def _read_field(cursor: Cursor) -> ProfileField:
    _expect(cursor, _PROFILE_FIELDS)
    return ProfileField(intern(cursor.text()), cursor.scalar(), cursor.whole())


def _expect(cursor: Cursor, items: i64) -> None:
    if cursor.array_items() != items:
        raise NotMessagePack("more or fewer parts")


def _read_2(data: bytes) -> LeadState:
    head_bytes = 1 if data[0] in _HEADLESS else _HEAD_BYTES
    return _old(_decode_2(memoryview(data)[head_bytes:]), due_ms(data))


def _read_1(data: bytes) -> LeadState:
    rest = _decode_1(memoryview(data)[1:])
    return _old((*rest[:9], rest[10]), rest[9])


def _old(rest: _Rest2, due: int | None) -> LeadState:
    counts, fast, slow, profile, recent_ids, tier, since_ms, as_of_ms, seq, version = rest
    if fast[1] != slow[1]:
        raise NotMessagePack("sums of two moments")
    return LeadState(
        tuple([None if each is None else Count(*each) for each in counts]),
        fast[0],
        slow[0],
        fast[1],
        tuple([ProfileField(*each) for each in profile]),
        recent_ids_of(recent_ids),
        tier,
        since_ms,
        as_of_ms,
        seq,
        version,
        inf,
        due,
    )


_READERS: dict[int, Callable[[bytes], LeadState]] = {
    _DUE: _read,
    _NEVER_DUE: _read,
    _DUE_2: _read_2,
    _NEVER_DUE_2: _read_2,
    _FORMAT_1: _read_1,
}
