"""The merge of a task's inputs, against the plain way to say it."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from scoring.merge import AT_ONCE, Merge, Timed

INPUTS = 3
TIMES = st.integers(0, 6) | st.just(AT_ONCE)
ADDED = st.tuples(st.integers(0, INPUTS - 1), st.lists(TIMES, max_size=6))
POPPED = st.tuples(st.lists(st.booleans(), min_size=INPUTS, max_size=INPUTS), st.integers(1, 9))


def plainly(
    queues: list[deque[Timed]], at_end: list[bool], items_max: int
) -> list[tuple[int, Timed]]:
    """Take one item after the other: the first head of all, unless an input may hold one before."""
    taken: list[tuple[int, Timed]] = []
    while len(taken) < items_max:
        heads = [(queue[0].time_ms, index) for index, queue in enumerate(queues) if queue]
        waits = any(not queue and not end for queue, end in zip(queues, at_end, strict=True))
        if not heads or (waits and min(heads)[0] != AT_ONCE):
            break
        _, index = min(heads)
        taken.append((index, queues[index].popleft()))
    return taken


@given(st.lists(ADDED | POPPED, max_size=20))
def test_the_first_head_goes_first(steps):
    """Items come in the order of their inputs' heads, and none before one that may still come."""
    merge: Merge[Timed] = Merge(INPUTS)
    queues: list[deque[Timed]] = [deque() for _ in range(INPUTS)]
    for first, second in steps:
        if isinstance(first, int):
            items = [Timed(time_ms, None) for time_ms in second]
            merge.add(first, items)
            queues[first].extend(items)
        else:
            expected = [item for _, item in plainly(queues, first, second)]
            assert merge.pop(first, second) == expected
        assert [merge.waiting(index) for index in range(INPUTS)] == [*map(len, queues)]
        assert len(merge) == sum(map(len, queues))
