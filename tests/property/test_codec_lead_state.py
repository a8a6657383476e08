"""Laws of the state codec."""

from contextlib import suppress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.lead_state import CorruptState, UnknownStateVersion, decode, encode
from scoring.recent_ids import recent_ids_of
from scoring.state import Count, LeadState, ProfileField

WHOLE = st.integers(-(2**63), 2**63 - 1) | st.builds(
    lambda bits, near, sign: sign * (2**bits - near),
    st.integers(0, 62),
    st.integers(-1, 2),
    st.sampled_from((-1, 1)),
)
TEXTS = st.text(max_size=20) | st.integers(0, 300).map(lambda size: "x" * size)
COUNTS = st.builds(Count, value=st.floats(allow_nan=False), ref_ms=WHOLE)
SCALARS = st.one_of(st.none(), st.booleans(), WHOLE, st.floats(allow_nan=False), TEXTS)
STATES = st.builds(
    LeadState,
    counts=st.lists(st.none() | COUNTS, max_size=20).map(tuple),
    fast=st.floats(allow_nan=False),
    slow=st.floats(allow_nan=False),
    points_ref_ms=WHOLE,
    profile=st.lists(
        st.builds(ProfileField, name=TEXTS, value=SCALARS, at_ms=WHOLE), max_size=4
    ).map(tuple),
    recent_ids=st.lists(TEXTS, max_size=5).map(recent_ids_of),
    tier=st.integers(0, 10),
    since_ms=WHOLE,
    as_of_ms=WHOLE,
    seq=st.integers(0, 2**40),
    ceiling=st.floats(0),
    due_ms=st.none() | WHOLE,
    model_version=TEXTS,
)


@given(STATES)
def test_bytes_are_msgspec_s(state: LeadState) -> None:
    """After the head, a state is what msgspec writes of its fields."""
    counts = [each and (each.value, each.ref_ms) for each in state.counts]
    profile = [(each.name, each.value, each.at_ms) for each in state.profile]
    rates = [(each, state.points_ref_ms) for each in (state.fast, state.slow)]
    times = (state.tier, state.since_ms, state.as_of_ms, state.seq)
    rest = (counts, *rates, profile, state.recent_ids, *times, state.model_version, state.ceiling)
    head_bytes = 1 if state.due_ms is None else 9
    assert encode(state)[head_bytes:] == msgspec.msgpack.encode(rest)


@given(STATES)
def test_round_trip(state: LeadState) -> None:
    """A state comes back as it was, and the same state is always the same bytes."""
    data = encode(state)
    back = decode(data)
    assert back == state
    assert [type(each.value) for each in back.profile] == [
        type(each.value) for each in state.profile
    ]
    assert encode(back) == data


@given(STATES, st.data())
def test_damaged(state: LeadState, data: st.DataObject) -> None:
    """Bytes with a fault are refused by name, or are another state; nothing else happens."""
    whole = bytearray(encode(state))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    length = data.draw(st.integers(0, len(whole)))
    with suppress(CorruptState, UnknownStateVersion):
        decode(bytes(whole[:length]))
