"""The command: exit codes, and errors of one line with the cure."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from leadvelocity import __version__
from leadvelocity.cli import main
from leadvelocity.commands.demo import seconds
from leadvelocity.compiled import compiled_modules, said_of
from leadvelocity.errors import WrongInput
from leadvelocity.options import moment_ms

VISIT = (
    '{"type": "website_visit", "event_id": "%s", "lead_id": "L", '
    '"occurred_at": "2026-11-23T10:00:0%sZ", "url": "/pricing"}\n'
)


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    for name in list(os.environ):
        if name.startswith("LEADVELOCITY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["leadvelocity", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Done(returncode=int(end.value.code or 0), stdout=said.out, stderr=said.err)

    return run


def test_the_version_says_whether_it_runs_compiled(command):
    """Who wonders about speed asks the command that runs."""
    done = command("--version")

    assert done.returncode == 0
    assert done.stdout == f"leadvelocity {__version__}, {said_of(compiled_modules())}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("setup",),
        ("setup", "--settings", "missing.yaml"),
        ("replay",),
        ("replay", "missing.jsonl"),
        ("replay", "--from", "nowhere"),
        ("demo", "--for", "soon"),
        ("demo", "--json", "missing/summary.json", "--for", "1s"),
        ("model", "check", "missing.yaml"),
    ],
)
def test_wrong_input_exits_2_without_a_traceback(command, arguments):
    """What the user got wrong is said on standard error, shortly, with code 2."""
    done = command(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_broker_that_is_away_exits_1_with_the_cure(command, monkeypatch):
    """Servers that do not answer are a failure, told in one line."""
    monkeypatch.setattr("leadvelocity.kafka.ANSWER_S_MAX", 1.0)
    done = command(
        "replay",
        "--from",
        "scored-events",
        LEADVELOCITY_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1",
        LEADVELOCITY_REGISTRY__URL="http://127.0.0.1:1",
        LEADVELOCITY_CLICKHOUSE__HOST="127.0.0.1",
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "127.0.0.1:1" in done.stderr
    assert "check that it runs" in done.stderr


def test_help_lists_every_command_without_importing_them(command):
    """Help names the commands, and imports no client of Kafka for it."""
    done = command("--help")
    assert done.returncode == 0
    for name in ("demo", "stack", "setup", "worker", "sink", "send", "import", "lead", "replay"):
        assert name in done.stdout
    code = "import leadvelocity.cli, sys; print('confluent_kafka' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "False"


def test_replay_names_a_bad_line(command, tmp_path):
    """A line that is no event is named with number, field and reason."""
    (tmp_path / "e.jsonl").write_text(VISIT % ("a", 0) + '{"type": "x"}\n')
    done = command("replay", "e.jsonl")
    assert done.returncode == 2
    assert "line 2, field 'type'" in done.stderr


def test_replay_prints_json(command, tmp_path):
    """Tier changes and leads come as JSON on standard output."""
    (tmp_path / "e.jsonl").write_text("".join(VISIT % (number, number) for number in range(9)))
    done = command("replay", "e.jsonl", "--until", "2027-01-01T00:00:00Z")
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)["leads"]) == ["L"]


def test_model_check_tells_version_or_problems(command, tmp_path):
    """A good model prints its version; a bad one each problem with its line, and code 2."""
    (tmp_path / "good.yaml").write_text(
        "model: m\nhalf_life: 7d\nsignals: [{name: v, on: website_visit, points: 1}]\n"
        "tiers: [{name: hot, enter: 2, exit: 1}, {name: cold}]\n"
    )
    (tmp_path / "bad.yaml").write_text("model: m\nhalf_lif: 7d\n")
    assert json.loads(command("model", "check", "good.yaml", "--json").stdout)["version"]
    bad = command("model", "check", "bad.yaml")
    assert bad.returncode == 2
    assert "bad.yaml:2" in bad.stderr


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T01:00:00.250+01:00", 250),
        ("1970-01-01", 0),
        ("1500", 1_500),
    ],
)
def test_moments(text, at_ms):
    """A moment is ISO 8601, UTC unless it says otherwise, or epoch milliseconds."""
    assert moment_ms(text) == at_ms


@pytest.mark.parametrize(
    ("text", "expected"), [("20s", 20), ("1.5", 1.5), ("2m", 120), ("1h", 3600)]
)
def test_durations(text, expected):
    """A duration is a number with s, m or h."""
    assert seconds(text) == expected


def test_a_duration_that_is_none_is_refused():
    """Anything else is refused with an example."""
    with pytest.raises(WrongInput, match="20s"):
        seconds("soon")
