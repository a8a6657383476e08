"""Laws of the account of deaths."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from streams import quarantine
from streams.quarantine import DEATHS_MAX, Attempt, Step, place_of

SUSPECTS_MAX = 40

offsets = st.integers(0, 1 << 40)
positions = st.dictionaries(st.sampled_from(["visits", "opens", "fills"]), offsets)
places = st.builds(place_of, st.sampled_from(Step), st.sampled_from(["visits", "opens"]), offsets)
attempts = st.builds(
    Attempt,
    positions=positions,
    take_overs=st.integers(-1, 9),
    trying=st.none() | places,
    deaths=st.dictionaries(places, st.integers(1, 5)),
    alone_left=st.integers(0, SUSPECTS_MAX),
)


def taken_over(attempt: Attempt | None, at: Mapping[str, int]) -> Attempt:
    return quarantine.taken_over(attempt, at, suspects_max=SUSPECTS_MAX)


@given(attempts)
def test_an_attempt_comes_back_from_its_bytes(attempt: Attempt) -> None:
    """What was noted is what the next owner reads."""
    assert quarantine.decode(quarantine.encode(attempt)) == attempt


@given(positions, st.integers(0, 12))
def test_records_are_handled_alone_after_three_deaths_at_one_place(
    at: dict[str, int], deaths: int
) -> None:
    """A task that dies where it stands goes on carefully, and from the third death on alone."""
    attempt = taken_over(None, at)
    for _ in range(deaths):
        attempt = taken_over(attempt, at)
    assert attempt.alone == (deaths >= DEATHS_MAX)
    assert attempt.cautious == (deaths >= quarantine.CAUTIOUS_AFTER)


@given(positions, st.integers(0, 12))
def test_stopping_politely_is_not_dying(at: dict[str, int], stops: int) -> None:
    """However often an owner leaves in good order, no record comes under suspicion."""
    attempt = taken_over(None, at)
    for _ in range(stops):
        attempt = taken_over(quarantine.departed(attempt), at)
    assert not attempt.cautious


@given(positions, st.lists(st.booleans(), max_size=30))
def test_only_deaths_in_a_row_condemn(at: dict[str, int], deadly: list[bool]) -> None:
    """
    A record is condemned exactly when the last deaths, as many as the bound, all came while it
    was under way; to have survived once clears it.
    """
    attempt = taken_over(None, at)
    in_a_row = 0
    for died in deadly:
        attempt = quarantine.trying(attempt, place_of(Step.FOLD, "visits", 7))
        if died:
            attempt = taken_over(attempt, at)
            in_a_row += 1
        else:
            attempt = quarantine.survived(attempt)
            in_a_row = 0
        assert attempt.condemns("visits", 7) == (in_a_row >= DEATHS_MAX)
        assert not attempt.condemns("visits", 8)


@given(positions)
def test_a_task_that_got_through_is_trusted_again(at: dict[str, int]) -> None:
    """Once all suspects were handled alone, nothing is held against anyone."""
    attempt = taken_over(None, at)
    for _ in range(DEATHS_MAX):
        attempt = taken_over(attempt, at)
    for step in range(SUSPECTS_MAX):
        assert attempt.alone
        attempt = quarantine.advanced(attempt, {**at, "visits": at.get("visits", 0) + step + 1})
    assert not attempt.alone
    assert not attempt.cautious
    assert not attempt.deaths
