"""What cutting promises."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import DEAD_LETTERS
from sinks.cutting import BLOCK_BYTES_MAX, BLOCK_OFFSETS, Cutter
from sinks.port import Block

LETTER = {
    "topic": "email-opens",
    "partition": 3,
    "offset": 17,
    "timestamp": 5,
    "key": None,
    "value": b"\xff",
    "headers": [],
    "reason": "undecodable: no",
    "lead_id": None,
    "failed_at": 6,
}

gaps = st.lists(st.integers(1, 900), min_size=1, max_size=80)
sizes = st.sampled_from((10, BLOCK_BYTES_MAX // 5, BLOCK_BYTES_MAX // 2, BLOCK_BYTES_MAX + 1))


def cut(offsets: list[int], size_bytes: int, *, taking: set[int]) -> list[Block]:
    """The blocks of `offsets`, taken after each of the places in `taking` and at the end."""
    cutter = Cutter(DEAD_LETTERS, 0)
    blocks: list[Block] = []
    for index, offset in enumerate(offsets):
        cutter.add(offset, LETTER, size_bytes)
        if index in taking:
            blocks += cutter.take(tail=False).blocks
    blocks += cutter.take(tail=True).blocks
    assert cutter.size_bytes == 0
    return blocks


def ranges(blocks: list[Block]) -> list[tuple[int, int, int]]:
    return [(each.first_offset, each.last_offset, each.rows) for each in blocks]


@given(gaps=gaps, size_bytes=sizes, taking=st.sets(st.integers(0, 80)))
def test_when_blocks_are_taken_does_not_cut_them(
    gaps: list[int], size_bytes: int, taking: set[int]
) -> None:
    """The same records are cut at the same places, whenever blocks are taken."""
    offsets = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    assert ranges(cut(offsets, size_bytes, taking=taking)) == ranges(
        cut(offsets, size_bytes, taking=set())
    )


@given(gaps=gaps, size_bytes=sizes)
def test_blocks_are_bounded_and_whole(gaps: list[int], size_bytes: int) -> None:
    """Blocks hold every record once and in order, cross no bound and hold no more than they may."""
    offsets = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    blocks = cut(offsets, size_bytes, taking=set())
    assert [o for each in blocks for o in each.columns["source_offset"]] == offsets
    for each in blocks:
        assert each.first_offset // BLOCK_OFFSETS == each.last_offset // BLOCK_OFFSETS
        assert each.rows == 1 or each.rows * size_bytes <= BLOCK_BYTES_MAX
    for before, after in pairwise(blocks):
        assert before.last_offset < after.first_offset


def test_a_misfit_leaves_its_neighbours() -> None:
    """A record that does not follow its contract is rejected alone, with its place and content."""
    cutter = Cutter(DEAD_LETTERS, 2)
    for offset in range(5):
        cutter.add(offset, LETTER | ({"reason": None} if offset in {1, 4} else {}), 10)
    collected = cutter.take(tail=True)
    assert [list(each.columns["source_offset"]) for each in collected.blocks] == [[0, 2, 3]]
    assert [(each.partition, each.offset) for each in collected.rejected] == [(2, 1), (2, 4)]
    assert "reason" in collected.rejected[0].reason
    assert '"value": "/w=="' in collected.rejected[0].record


def test_misfits_alone_make_no_block() -> None:
    """Where no record fits there is nothing to write."""
    cutter = Cutter(DEAD_LETTERS, 0)
    cutter.add(7, LETTER | {"offset": "x"}, 10)
    collected = cutter.take(tail=True)
    assert collected.blocks == ()
    assert len(collected.rejected) == 1
