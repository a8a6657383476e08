"""Bytes of a lead's state."""

from math import inf

import pytest

from schemas.lead_state import CorruptState, UnknownStateVersion, decode, due_ms, encode
from scoring.recent_ids import recent_ids_of
from scoring.state import Count, LeadState, ProfileField

STATE = LeadState(
    counts=(None, Count(value=0.1, ref_ms=1_700_000_000_123), None),
    fast=-3.5,
    slow=1e300,
    points_ref_ms=5,
    profile=(
        ProfileField(name="company", value="Zoë & Sons", at_ms=7),
        ProfileField(name="seats", value=200, at_ms=8),
        ProfileField(name="share", value=200.0, at_ms=8),
        ProfileField(name="trial", value=True, at_ms=9),
        ProfileField(name="vat", value=None, at_ms=9),
    ),
    recent_ids=recent_ids_of(("a", "b")),
    tier=2,
    since_ms=1,
    as_of_ms=2,
    seq=3,
    ceiling=inf,
    due_ms=4,
    model_version="abc",
)


def test_round_trip() -> None:
    """A state comes back as it was, with the types of its answers."""
    for state in (STATE, STATE.replace(due_ms=None, counts=(), profile=(), recent_ids=b"")):
        back = decode(encode(state))
        assert back == state
        assert [type(each.value) for each in back.profile] == [
            type(each.value) for each in state.profile
        ]


SMALL = STATE.replace(counts=(None,), profile=(), recent_ids=recent_ids_of(("a",)), slow=STATE.fast)
FORMAT_1 = bytes.fromhex(
    "019b91c092cbc00c0000000000000592cbc00c000000000000059091a1610201020304a3616263"
)
FORMAT_2 = bytes.fromhex(
    "0200000000000000049a91c092cbc00c0000000000000592cbc00c000000000000059091a16102010203a3616263"
)
FORMAT_3 = bytes.fromhex(
    "0300000000000000049b91c092cbc00c0000000000000592cbc00c0000000000000590c40840f89e395b66422f02010203a3616263cb7ff0000000000000"
)
SUMS_OF_TWO_MOMENTS = FORMAT_3.replace(b"\x05\x92", b"\x06\x92")


@pytest.mark.parametrize("written", [FORMAT_1, FORMAT_2, FORMAT_3])
def test_bytes_are_kept(written: bytes) -> None:
    """States that older workers wrote stay readable: these bytes are of each format there was."""
    assert decode(written) == SMALL
    assert due_ms(written) == SMALL.due_ms
    assert encode(SMALL) == FORMAT_3


def test_bytes_of_a_state_that_never_cools_are_kept() -> None:
    """A state that never cools has no time in front, only its mark."""
    never = SMALL.replace(due_ms=None)
    assert encode(never) == bytes((0x83,)) + FORMAT_3[9:]
    for written in (bytes((0x82,)) + FORMAT_2[9:], bytes((0x83,)) + FORMAT_3[9:]):
        assert decode(written) == never
        assert due_ms(written) is None


def test_the_cooling_time_is_had_without_the_rest() -> None:
    """The time at which a lead cools reads the same from the bytes alone."""
    for at_ms in (None, 0, -5, 1 << 52):
        assert due_ms(encode(STATE.replace(due_ms=at_ms))) == at_ms


def test_unknown_version() -> None:
    """A state in another format is refused with the way out."""
    with pytest.raises(UnknownStateVersion, match="replay"):
        decode(b"\x04" + encode(STATE)[1:])


def test_damaged() -> None:
    """A state that was cut, prolonged or overwritten is refused."""
    data = encode(STATE)
    for length in range(len(data)):
        with pytest.raises(CorruptState):
            decode(data[:length])
    for bad in (
        data + b"\x00",
        b"\x01\x90",
        b"\x01\xff\xff",
        b"\x02",
        FORMAT_2[:8],
        encode(STATE.replace(recent_ids=b"half")),
        data.replace(b"\x93", b"\x92", 1),
        SUMS_OF_TWO_MOMENTS,
    ):
        with pytest.raises(CorruptState):
            decode(bad)
