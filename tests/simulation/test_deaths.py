"""Records that kill their worker end in the dead letters, and no others do."""

from dataclasses import replace

import pytest

from streams import quarantine
from tests.simulation import deaths
from tests.simulation.parts import REAL
from tests.simulation.seeds import first_broken, run_all

KIND = "deaths"


def test_only_deadly_records_are_condemned(seeds) -> None:
    """
    A record that kills whoever reads or folds it is set aside after a bounded number of deaths;
    no other is, under kills from outside, polite leaves and failing commits either.
    """
    run_all(seeds, deaths.run)


def test_without_quarantine_a_deadly_record_is_never_passed() -> None:
    """
    The schedules are deadly: without the quarantine no worker gets through.
    """
    found = first_broken(range(20), lambda seed: deaths.run(seed, replace(REAL, quarantines=False)))

    assert found is not None
    assert "are not through" in found


def test_hasty_verdicts_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A quarantine that condemns after one death alone hits innocents, and is found.
    """
    monkeypatch.setattr(quarantine, "DEATHS_MAX", 1)

    found = first_broken(range(200), deaths.run)

    assert found is not None
    assert "condemned" in found
