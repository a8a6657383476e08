"""What `lead` folds is what the worker folded: the types of form answers come back too."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from leadvelocity.explaining import history_of
from leadvelocity.replaying import Replay
from schemas.contracts import contract
from schemas.model_file.load import load
from schemas.topics import SCORED_EVENTS
from scoring.explanation import explain
from sinks.clickhouse import ClickHouseSink
from sinks.client import ClickHouse, query
from sinks.migrate import migrate
from sinks.rows import block_of

pytestmark = pytest.mark.integration

NOW_MS = 1_760_000_000_000
MODEL = """
model: sizes
half_life: 7d
signals: [{name: form, on: form_fill, points: 1}]
fit:
  - {when: {profile.company_size: 200}, points: 15}
  - {when: "profile.trial == true", points: 10}
tiers: [{name: warm, enter: 30, exit: 25}, {name: cold}]
"""


@pytest.fixture
def database(clickhouse_server: ClickHouse, run_name: str) -> Iterator[ClickHouse]:
    mine = replace(clickhouse_server, database=run_name)
    migrate(mine)
    yield mine
    mine.client().execute(f"DROP DATABASE {run_name}")


def fill(lead_id: str, profile: dict[str, object]) -> dict[str, object]:
    record: dict[str, object] = {
        each["name"]: None for each in contract(SCORED_EVENTS).schema["fields"]
    }
    return record | {
        "lead_id": lead_id,
        "event_id": f"{lead_id}-1",
        "event_type": "form_fill",
        "occurred_at": NOW_MS,
        "outcome": "scored",
        "weight": 1.0,
        "points": 1.0,
        "fields": {"form_id": "demo"},
        "profile": profile,
        "model_version": "v",
    }


def fit_of(database: ClickHouse, lead_id: str) -> float:
    history = history_of(database, load(MODEL, file_name="sizes"), lead_id, at_ms=NOW_MS)
    assert history is not None
    assert history.explanation is not None
    return history.explanation.score.fit


def test_a_text_is_not_taken_for_a_number(database: ClickHouse) -> None:
    """Answers that only look like a number or a truth value are explained as they were scored."""
    answers: tuple[dict[str, object], ...] = (
        {"company_size": 200, "trial": True},
        {"company_size": 200.0, "trial": "true"},
        {"company_size": "200", "trial": True},
        {"company_size": "200.0", "trial": "true"},
    )
    records = [fill(f"lead-{number}", each) for number, each in enumerate(answers)]
    sink = ClickHouseSink(database)
    sink.write(block_of(SCORED_EVENTS, 0, range(len(answers)), records))
    sink.close()
    replay = Replay(model=load(MODEL, file_name="sizes"))
    for record in records:
        replay.scored(record)
    scored = [
        explain(state, replay.model, NOW_MS, lead_id=lead_id).score.fit
        for lead_id, state in replay.states.items()
    ]
    assert scored == [25.0, 15.0, 25.0, 0.0]
    assert [fit_of(database, f"lead-{number}") for number in range(len(answers))] == scored


def test_rows_of_earlier_versions_are_read_by_their_look(database: ClickHouse) -> None:
    """A row without the names of its texts is explained as before."""
    columns = "lead_id, event_id, event_type, occurred_at, outcome, profile, source_topic"
    values = (
        "'old', 'old-1', 'form_fill', fromUnixTimestamp64Milli(1760000000000, 'UTC'), 'scored',"
        " map('company_size', '200.0'), 'scored-events'"
    )
    database.client().execute(f"INSERT INTO scored_events ({columns}) SELECT {values}")
    assert query(database, "SELECT profile_text_fields FROM scored_events").rows == (([],),)
    assert fit_of(database, "old") == 15.0
