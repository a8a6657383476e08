"""`leadvelocity stack`, as others rely on it."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def run(tmp_path):
    """Runs a stack command on a folder of its own, which is wiped at the end."""

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "leadvelocity", "stack", *words, "--dir", str(tmp_path / "s")],
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    yield ran
    ran("wipe")


def test_a_life_by_commands(run):
    """Standard output is JSON for programs; standard error is words for people."""
    up = run("up")
    endpoints = json.loads(up.stdout)
    running = json.loads(run("status", "--json").stdout)
    down = run("down", "--json")
    stopped = run("status")

    assert up.returncode == down.returncode == stopped.returncode == 0
    assert set(endpoints) == {"kafka", "registry", "clickhouse"}
    assert set(endpoints["clickhouse"]) == {
        "host",
        "port",
        "http_port",
        "user",
        "password",
        "database",
    }
    assert endpoints["registry"].endswith("/apis/ccompat/v7")
    assert "kafka: answers" in up.stderr
    assert {part["state"] for part in running.values()} == {"running"}
    assert json.loads(down.stdout) == {"state": "stopped"}
    assert stopped.stdout.count("stopped") == 3


@pytest.mark.parametrize("command", ["status", "down", "wipe"])
def test_a_folder_without_a_stack_is_wrong_input(run, command):
    """Exit code 2, one line, no traceback."""
    result = run(command)

    assert result.returncode == 2
    assert "stack up" in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
