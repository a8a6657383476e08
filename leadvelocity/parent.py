"""Ends this process when the one that started it is gone."""

import os
import signal
from threading import Thread

STDIN = 0


def end_with_stdin() -> None:
    """Stop, as on SIGTERM, once standard input ends.

    The parent holds the other end of that pipe and writes nothing; however it dies, the pipe ends.
    """
    Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    # Not sys.stdin: its lock, held by a thread that waits, would spoil the interpreter's end.
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
