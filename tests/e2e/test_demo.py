"""The demo: a newcomer's first command, from nothing to balanced books."""

import json
import signal
import subprocess
import sys

import psutil
import pytest

from leadvelocity.stack.stack import Stack

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

DEMO = (sys.executable, "-m", "leadvelocity", "demo", "--leads", "100", "--rate", "500")


def left_over(folder):
    return [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in each for each in process.info["cmdline"] or ())
    ]


def demo(folder, *, seconds, seed):
    summary = folder / "summary.json"
    done = subprocess.run(
        [
            *DEMO,
            *("--dir", str(folder), "--for", f"{seconds}s", "--seed", str(seed)),
            *("--json", str(summary)),
        ],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(summary.read_text())


def test_the_books_balance_and_a_second_run_goes_on(tmp_path):
    """Two runs in one folder balance together, and leave no process behind."""
    first = demo(tmp_path, seconds=6, seed=7)
    second = demo(tmp_path, seconds=3, seed=8)
    for summary in (first, second):
        assert summary["balanced"]
        assert summary["differences"] == []
        ended = ("scored", "unmatched", "doubled", "dead_lettered")
        assert summary["sent"] == sum(summary[name] for name in ended)
        assert summary["clickhouse_rows"]["tier_changes"] == sum(summary["tier_changes"].values())
    assert first["sent"] == first["this_run"]["sent"] > 0
    assert second["sent"] == first["sent"] + second["this_run"]["sent"]
    assert sum(first["tier_changes"].values()) > 0
    assert left_over(tmp_path) == []


def begun(folder, line, *arguments):
    """Start a demo and return it once it has said a line that begins so."""
    process = subprocess.Popen(
        [*DEMO, "--dir", str(folder), *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    for each in process.stderr:
        if each.startswith(line):
            return process
        said += each
    raise AssertionError(f"the demo ended with {process.wait()}: {said}")


def test_an_interrupt_stops_all_that_was_started(tmp_path):
    """Ctrl-C while things are still starting leaves no process behind."""
    process = begun(tmp_path, "worker and sink")
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    assert process.wait(120) not in (0, 2)
    assert left_over(tmp_path) == []


def test_an_interrupt_ends_the_traffic(tmp_path):
    """Ctrl-C in mid-traffic ends the traffic; the books are done, and balance."""
    summary = tmp_path / "summary.json"
    process = begun(tmp_path, "traffic begins", "--json", str(summary))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(5)  # some traffic
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(120) == 0, said
    books = json.loads(summary.read_text())
    assert books["balanced"]
    assert books["sent"] > 0
    assert left_over(tmp_path) == []


@pytest.mark.slow
def test_a_demo_that_is_killed_takes_worker_and_sink_along(tmp_path):
    """After kill -9 worker and sink end by themselves; the stack stays, for `stack down`."""
    process = begun(tmp_path, "traffic begins")
    roles = [
        each
        for each in psutil.Process(process.pid).children()
        if {"worker", "sink"} & set(each.cmdline())
    ]
    assert len(roles) == 2
    process.kill()
    process.wait()
    try:
        _, alive = psutil.wait_procs(roles, timeout=90)
        assert alive == []
    finally:
        Stack(tmp_path).wipe()
    assert left_over(tmp_path) == []
