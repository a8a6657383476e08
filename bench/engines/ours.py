"""The product's own worker, as it is installed."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.answers import Standing, WrongAnswer
from bench.engines.run import Run, check_answers, last_values
from bench.inputs import truncate
from bench.toml_text import toml_text
from leadvelocity.provision import provision_topics
from leadvelocity.records import read_topic
from leadvelocity.scoring_model import load_model
from schemas import lead_state
from schemas.topics import LEAD_SCORES, OUTPUT_TOPICS, SCORED_EVENTS, TIER_CHANGES
from scoring.score import score_at
from streams.kafka_ledger import changelog_topic

SMALL_MODEL = Path(__file__).resolve().parents[1] / "model.yaml"

EMPTIED = tuple(topic for topic in OUTPUT_TOPICS if topic != LEAD_SCORES)
"""Kafka deletes no records of a compacted topic on demand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """`leadvelocity worker` with a model.

    Parameters
    ----------
    model : Path or None
        None: the model that ships.
    engine : mapping
        Settings of the engine that differ from their defaults.
    """

    key: str
    title: str
    model: Path | None = SMALL_MODEL
    engine: Mapping[str, object] = field(default_factory=dict)
    commits_at_end: bool = True

    def prepare(self, run: Run) -> None:
        """Empty the outputs, and make changelogs of this run's own."""
        truncate(run.settings, EMPTIED)
        run.folder.mkdir(parents=True, exist_ok=True)
        engine = replace(run.settings.engine, app_id=run.group)
        provision_topics(run.settings.model_copy(update={"engine": engine}), lambda _: None)
        sections = {"engine": {"app_id": run.group, **self.engine}}
        self._file(run).write_text(toml_text(sections), encoding="utf-8")

    def command(self, run: Run) -> Sequence[str]:
        """Return the command that runs a worker."""
        model = () if self.model is None else ("--model", str(self.model))
        return [
            sys.executable,
            *("-m", "leadvelocity", "worker", "--dir", str(run.settings.directory)),
            *("--settings", str(self._file(run)), *model, "--end-with-stdin"),
        ]

    def output(self, run: Run) -> str:  # noqa: ARG002
        """Return the product's own topic."""
        return TIER_CHANGES

    def check(self, run: Run) -> None:
        """Check tier changes and states; of another model, that each event has its record."""
        if self.model == SMALL_MODEL:
            check_answers(run, _changes, self._standings)
            return
        places = Counter(
            (
                each.record["input_topic"],
                each.record["input_partition"],
                each.record["input_offset"],
            )
            for each in read_topic(run.settings, SCORED_EVENTS)
            if each.record["input_topic"] is not None  # else time alone was the cause
        )
        if places.total() != run.inputs.records or len(places) != run.inputs.records:
            raise WrongAnswer(
                f"{places.total()} scored events, of {len(places)} of {run.inputs.records} events"
            )

    def _standings(self, run: Run) -> Mapping[str, Standing]:
        model = load_model(self.model)
        standings = {}
        for lead_id, value in last_values(run, changelog_topic(run.group, "scoring")).items():
            if not lead_id.startswith("\0"):  # not an entry of the engine itself
                state = lead_state.decode(value)
                score = score_at(state, model, state.as_of_ms).total
                standings[lead_id] = Standing(score, state.as_of_ms)
        return standings

    def _file(self, run: Run) -> Path:
        return run.folder / "settings.toml"


def _changes(run: Run) -> list[tuple[str, str]]:
    return [
        (each.record["lead_id"], each.record["to_tier"])
        for each in read_topic(run.settings, TIER_CHANGES)
    ]
