"""The secret that pseudonyms are made with."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sources.salt import SALT_BYTES, install_salt


def test_made_once(tmp_path: Path) -> None:
    """The secret is made once, stays the same, and is for its owner's eyes only."""
    path = tmp_path / "new" / "salt"
    salt = install_salt(path)
    assert len(salt) == SALT_BYTES
    assert install_salt(path) == salt
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    assert [each.name for each in path.parent.iterdir()] == ["salt"]


def test_many_at_once(tmp_path: Path) -> None:
    """Those that make it at the same moment get the same one."""
    threads = 8
    start = threading.Barrier(threads)

    def make(path: Path) -> bytes:
        start.wait()
        return install_salt(path)

    with ThreadPoolExecutor(threads) as pool:
        for attempt in range(100):
            paths = [tmp_path / str(attempt)] * threads
            assert len(set(pool.map(make, paths))) == 1


def test_damaged(tmp_path: Path) -> None:
    """A secret that was cut is not used: every visitor would be a new lead."""
    path = tmp_path / "salt"
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="restore"):
        install_salt(path)
