"""A child whose parent is gone."""

import signal
import subprocess
import sys

CHILD = """
import threading
from leadvelocity.parent import end_with_stdin
end_with_stdin()
print("waiting", flush=True)
threading.Event().wait()
"""
PARENT = f"""
import subprocess, sys, threading
subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdin=subprocess.PIPE)
threading.Event().wait()
"""


def test_a_child_stops_when_its_parent_is_killed():
    """A parent that dies by SIGKILL takes along the child that watches standard input."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "waiting\n"
    parent.kill()
    parent.wait()
    parent.stdout.read()  # returns when the child, which holds the other end, has ended
    parent.stdout.close()


def test_it_is_told_as_by_sigterm():
    """The end of standard input comes as SIGTERM, which stops politely; not before."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == "waiting\n"
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(30) == -signal.SIGTERM
    child.stdout.close()
