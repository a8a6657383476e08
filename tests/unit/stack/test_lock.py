"""The lock on a stack's folder."""

from threading import Event, Thread

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
    with lock.locked(tmp_path, within_s=1, waiting=silent):
        (tmp_path / lock.FILE_NAME).unlink()
        with (
            lock.locked(tmp_path, within_s=1, waiting=silent),
            pytest.raises(StackBusy),
            lock.locked(tmp_path, within_s=0.2, waiting=silent),
        ):
            pass
