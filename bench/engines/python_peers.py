"""Peers in Python: programs in `bench/peers`, each run by a Python that has what it needs."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.answers import Standing
from bench.engines.run import Run, check_answers, json_changes, last_values
from bench.errors import BenchFailed
from bench.inputs import Progress, create_topics

ROOT = Path(__file__).resolve().parents[2]
INSTALL_S_MAX = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BareLoop:
    """A loop over a dict, with each changed lead of a batch to a changelog; at least once."""

    key: str = "bare_loop_changelog"
    title: str = "bare Python loop, changelog"
    commits_at_end: bool = True

    def prepare(self, run: Run) -> None:
        """Make its topics."""
        create_topics(run.settings, [run.output])
        create_topics(
            run.settings, [self._changelog(run)], configuration={"cleanup.policy": "compact"}
        )

    def command(self, run: Run) -> Sequence[str]:
        """Return the command that runs it."""
        return [sys.executable, "-m", "bench.peers.bare_loop", str(run.write_job())]

    def output(self, run: Run) -> str:
        """Return the topic of its tier changes."""
        return run.output

    def check(self, run: Run) -> None:
        """Check its tier changes and its changelog."""
        check_answers(run, json_changes, self._standings)

    def _standings(self, run: Run) -> Mapping[str, Standing]:
        decoded = (
            (lead_id, msgspec.msgpack.decode(value))
            for lead_id, value in last_values(run, self._changelog(run)).items()
        )
        return {lead_id: Standing(state[0], state[1]) for lead_id, state in decoded}

    def _changelog(self, run: Run) -> str:
        return f"{run.group}-changelog"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaustDocumented:
    """Faust as its documentation shows it: records, a table, an agent; at least once."""

    key: str = "faust_documented"
    title: str = "Faust as documented"
    commits_at_end: bool = False

    def prepare(self, run: Run) -> None:
        """Make the topic of its tier changes; it makes its changelog itself."""
        create_topics(run.settings, [run.output])

    def command(self, run: Run) -> Sequence[str]:
        """Return the command that runs it."""
        return [sys.executable, "-m", "bench.peers.faust_documented", str(run.write_job())]

    def output(self, run: Run) -> str:
        """Return the topic of its tier changes."""
        return run.output

    def check(self, run: Run) -> None:
        """Check its tier changes and its changelog."""
        check_answers(run, json_changes, self._standings)

    def _standings(self, run: Run) -> Mapping[str, Standing]:
        values = last_values(run, f"{run.group}-leads-changelog")
        decoded = ((json.loads(key), json.loads(value)) for key, value in values.items())
        return {key: Standing(state["score"], state["at_ms"]) for key, state in decoded}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quix:
    """Quix Streams with its exactly-once guarantee, RocksDB and a changelog.

    Parameters
    ----------
    python : Path
        Of an environment that holds it: it asks for other versions than the product does.
    """

    python: Path
    key: str = "quix_exactly_once"
    title: str = "Quix Streams, exactly once, RocksDB"
    commits_at_end: bool = True

    def prepare(self, run: Run) -> None:
        """Make the topic of its tier changes; it makes its changelog itself."""
        create_topics(run.settings, [run.output])

    def command(self, run: Run) -> Sequence[str]:
        """Return the command that runs it."""
        return [str(self.python), "-m", "bench.peers.quix_exactly_once", str(run.write_job())]

    def output(self, run: Run) -> str:
        """Return the topic of its tier changes."""
        return run.output

    def check(self, run: Run) -> None:
        """Check its tier changes; its changelog is in a format of its own."""
        check_answers(run, json_changes, None)


def quix(folder: Path, progress: Progress) -> Quix:
    """Return Quix Streams, in an environment of its own in `folder`.

    Raises
    ------
    BenchFailed
        It cannot be installed.
    """
    python = folder / "quix" / "bin" / "python"
    lock = ROOT / "bench" / "quix.lock"
    if not python.exists():
        progress("quix: installing it")
        _run(sys.executable, "-m", "venv", str(folder / "quix"))
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(str(python), *pip, "--require-hashes", "-r", str(lock))
    return Quix(python=python)


def _run(*command: str) -> None:
    ran = subprocess.run(  # noqa: S603  # our own words only
        command, capture_output=True, text=True, check=False, timeout=INSTALL_S_MAX
    )
    if ran.returncode:
        raise BenchFailed(f"{' '.join(command)}:\n{ran.stderr}")
