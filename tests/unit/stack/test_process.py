"""Detached processes."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from leadvelocity.stack import process
from leadvelocity.stack.process import ProcessId

STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""

CLEAN = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit("cleaned up"))
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def started(tmp_path):
    """Starts Python programs and kills what is left of them."""
    identities = []

    def start(program: str) -> ProcessId:
        identity = process.start(
            [sys.executable, "-c", program], log=tmp_path / "out.log", environment={}
        )
        identities.append(identity)
        return identity

    yield start
    for identity in identities:
        if left := process.find(identity):
            left.kill()
            left.wait()


def living(identity: ProcessId) -> psutil.Process:
    found = process.find(identity)
    assert found
    return found


def said(log: Path, text: str) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if log.exists() and text in log.read_text(encoding="utf-8"):
            return True
        time.sleep(0.01)
    return False


def test_a_started_process_is_found_and_in_no_terminal(started):
    """Ctrl-C in the terminal that started the stack does not reach it."""
    identity = started("import signal; signal.pause()")

    assert living(identity).pid == identity.pid
    assert os.getsid(identity.pid) == identity.pid


def test_what_it_says_is_in_its_log(started, tmp_path):
    """Both streams of a part end up where a failure report looks."""
    started("import sys; print('to out', flush=True); print('to err', file=sys.stderr)")

    assert said(tmp_path / "out.log", "to out\nto err")


def test_a_reused_number_is_not_taken_for_the_process(started):
    """A stranger that got the number of a dead part is never stopped in its place."""
    identity = started("import signal; signal.pause()")

    assert process.find(replace(identity, started_at_s=identity.started_at_s - 60)) is None


def test_a_dead_child_counts_as_gone(started):
    """A part that died under the process that started it is seen as dead at once."""
    identity = started("import signal; signal.pause()")
    psutil.Process(identity.pid).kill()
    os.waitid(os.P_PID, identity.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and not yet buried

    assert process.find(identity) is None


def test_it_is_asked_to_stop(started, tmp_path):
    """A part gets the chance to end cleanly."""
    identity = started(CLEAN)
    assert said(tmp_path / "out.log", "ready")

    assert process.stop(living(identity), within_s=10)
    assert said(tmp_path / "out.log", "cleaned up")
    assert process.find(identity) is None


def test_a_stubborn_one_is_killed_within_the_bound(started, tmp_path):
    """`down` ends, whatever a part does with its SIGTERM."""
    identity = started(STUBBORN)
    assert said(tmp_path / "out.log", "ready")
    began = time.monotonic()

    assert not process.stop(living(identity), within_s=0.3)
    assert process.find(identity) is None
    assert time.monotonic() - began < 5
