"""One run of one engine, and what all engines have in common."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Protocol

from bench.answers import Standing, check, rises_of
from bench.inputs import Inputs
from bench.peers.fold import WEIGHTS
from leadvelocity.kafka import read_to_end
from leadvelocity.roles import registry_of
from leadvelocity.settings import Settings
from schemas.contracts import contract
from schemas.writer_schema import without_logical_types

PREFIX = "bench-"
"""Of the names of all topics that a run makes."""

ANSWERS_S_MAX = 15.0
"""How long after the last position the last outputs may become visible."""

ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run, by a name that no other run has.

    Parameters
    ----------
    settings : Settings
        Of the servers.
    folder : Path
        Its own, for logs and local state.
    bounded : bool
        Nothing more will be sent: an engine that commits seldom may do so at once at the end.
    """

    name: str
    settings: Settings
    inputs: Inputs
    folder: Path
    bounded: bool = True

    @property
    def group(self) -> str:
        """Its consumer group."""
        return f"{PREFIX}{self.name}"

    @property
    def output(self) -> str:
        """A topic for its tier changes."""
        return f"{self.group}-tier-changes"

    def write_job(self) -> Path:
        """Write what a peer must know to a file, and return that."""
        registry = registry_of(self.settings)
        ids = {topic: registry.id_of(contract(topic)) for topic in self.inputs.topics}
        job = {
            "kafka": self.settings.kafka.bootstrap_servers,
            "partitions": self.settings.topics.partitions,
            "group": self.group,
            "topics": list(self.inputs.topics.values()),
            "schemas": {
                schema_id: without_logical_types(contract(topic).schema)
                for topic, schema_id in ids.items()
            },
            "weights": {schema_id: WEIGHTS[topic] for topic, schema_id in ids.items()},
            "output": self.output,
            "changelog": f"{self.group}-changelog",
            "folder": str(self.folder),
            "records": self.inputs.records if self.bounded else 0,
        }
        file = self.folder / "job.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(job), encoding="utf-8")
        return file


class Engine(Protocol):
    """An engine that does the small job."""

    @property
    def key(self) -> str:
        """Its name in figures."""
        ...

    @property
    def title(self) -> str:
        """Its name for people."""
        ...

    @property
    def commits_at_end(self) -> bool:
        """Whether it commits at once when it has folded everything, not at its next interval."""
        ...

    def prepare(self, run: Run) -> None:
        """Make the topics that it needs."""
        ...

    def command(self, run: Run) -> Sequence[str]:
        """Return the command that runs it until it is stopped."""
        ...

    def output(self, run: Run) -> str:
        """Return its topic of tier changes, whose keys are leads."""
        ...

    def check(self, run: Run) -> None:
        """Hold its answers against the reference.

        Raises
        ------
        WrongAnswer
        """
        ...


def check_answers(
    run: Run,
    changes: Callable[[Run], Sequence[tuple[str, str]]],
    standings: Callable[[Run], Mapping[str, Standing]] | None,
) -> None:
    """Hold what subscribers see, and what is durable, against the reference.

    Parameters
    ----------
    changes : callable
        Returns lead and tier of each tier change, in the order of the topic.
    standings : callable or None
        Returns each lead's score from the durable state; None: it cannot be read from here.

    Raises
    ------
    WrongAnswer
    """
    wanted = run.inputs.answers
    if wanted is None:
        return
    until_s = time.monotonic() + ANSWERS_S_MAX
    count = sum(len(each) for each in wanted.rises.values())
    found = changes(run)
    while len(found) < count and time.monotonic() < until_s:
        Event().wait(ASK_AGAIN_S)
        found = changes(run)
    check(wanted, rises=rises_of(found), standings=None if standings is None else standings(run))


def json_changes(run: Run) -> list[tuple[str, str]]:
    """Return the tier changes that a peer wrote as JSON."""
    changes = []
    for message in read_to_end(run.settings.kafka.connection(), [run.output]):
        change = json.loads(message.value() or b"")
        changes.append((change["lead_id"], change["to"]))
    return changes


def last_values(run: Run, changelog: str) -> dict[str, bytes]:
    """Return the last committed value of each key of a changelog."""
    return {
        (message.key() or b"").decode(): message.value() or b""
        for message in read_to_end(run.settings.kafka.connection(), [changelog])
    }
