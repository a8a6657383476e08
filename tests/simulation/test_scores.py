"""The scoring agent on the engine: what is published equals the published events, folded again."""

from tests.simulation import scores
from tests.simulation.mutants import OutputsBeforeChangelog
from tests.simulation.parts import Parts
from tests.simulation.seeds import first_broken, run_all

KIND = "scores"


def test_scores_are_those_of_their_events(seeds) -> None:
    """
    Whatever happens to workers while events come and leads cool, each record is scored or buried
    once, and tier changes and states are, byte for byte, those of a fold of the scored events.
    """
    run_all(seeds, scores.run)


def test_a_planted_mistake_is_found() -> None:
    """
    An engine that publishes before it keeps the states is found by scores, too.
    """
    parts = Parts(ledger=OutputsBeforeChangelog)

    assert first_broken(range(300), lambda seed: scores.run(seed, parts)) is not None
