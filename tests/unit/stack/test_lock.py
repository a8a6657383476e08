"""The lock on a stack's folder."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore, Thread

import pytest

from leadvelocity.stack import lock
from leadvelocity.stack.errors import StackBusy


def silent() -> None:
    """Nobody needs to know."""


def test_a_second_holder_waits_and_says_so(tmp_path):
    """Two commands on one folder work one after the other."""
    order = []
    waits = Event()

    def second() -> None:
        with lock.locked(tmp_path, within_s=10, waiting=waits.set):
            order.append("second")

    thread = Thread(target=second)
    with lock.locked(tmp_path, within_s=1, waiting=silent):
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)

    assert order == ["first", "second"]


def test_waiting_has_an_end(tmp_path):
    """A command does not hang behind another that hangs."""
    with (
        lock.locked(tmp_path, within_s=1, waiting=silent),
        pytest.raises(StackBusy, match="run this again"),
        lock.locked(tmp_path, within_s=0.2, waiting=silent),
    ):
        pass


def test_the_lock_of_a_removed_file_is_none(tmp_path):
    """Who waited while the folder was wiped does not work beside who came after."""
    inside = Semaphore()

    def wiping() -> None:
        for _ in range(300):
            with lock.locked(tmp_path, within_s=60, waiting=silent, ask_again_s=0):
                assert inside.acquire(blocking=False), "two hold the lock"
                inside.release()
                (tmp_path / lock.FILE_NAME).unlink()  # the last that `wipe` does

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(wiping) for _ in range(4)]:
            each.result()
