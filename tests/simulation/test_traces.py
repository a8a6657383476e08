"""The engine under crashes at any step, lost answers, zombies and hand-overs."""

import re

import pytest

from tests.simulation import traces
from tests.simulation.mutants import MUTANTS
from tests.simulation.seeds import first_broken, run_all

KIND = "traces"


def test_each_record_counts_once(seeds) -> None:
    """
    Whoever dies, leaves, sleeps or fails at whatever moment: each record is seen once, in merged
    order, and states and positions are those of a pure fold.
    """
    run_all(seeds, traces.run)


@pytest.mark.parametrize(("name", "symptom"), MUTANTS)
def test_planted_mistakes_are_found(name, symptom, planted, pytestconfig) -> None:
    """
    A mistake planted on purpose is found within the default number of schedules, by its harm.
    """
    planted(MUTANTS[name, symptom])

    found = first_broken(
        range(pytestconfig.getoption("schedules")),
        lambda seed: traces.run(seed, MUTANTS[name, symptom]),
    )

    assert found is not None
    assert re.search(symptom, found), found
