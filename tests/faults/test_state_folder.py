"""Local state that is damaged, old, another's, or has no room."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.faults.stores import settings_of
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
FILE_BYTES_MAX = 30_000
WRITE_BUFFER_BYTES_MAX = 64 << 10  # so that files are written soon
SITE = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({FILE_BYTES_MAX}, {FILE_BYTES_MAX}))
"""


def files(folder, pattern):
    found = sorted(each for each in Path(folder).rglob(pattern) if each.is_file())
    assert found, f"no {pattern} in {[str(each) for each in Path(folder).rglob('*')]}"
    return found


def empty_current(folder):
    for each in files(folder, "CURRENT"):
        each.write_bytes(b"")


def cut_manifest(folder):
    for each in files(folder, "MANIFEST-*"):
        os.truncate(each, each.stat().st_size // 2)


def flip_tables(folder):
    for each in files(folder, "*.sst"):
        content = bytearray(each.read_bytes())
        for at in range(10, len(content), 50):
            content[at] ^= 0xFF
        each.write_bytes(content)


def cut_log(folder):
    for each in files(folder, "*.log"):
        os.truncate(each, each.stat().st_size // 2)


def flip_log(folder):
    for each in files(folder, "*.log"):
        content = bytearray(each.read_bytes())
        for at in range(len(content) // 3, len(content), 97):
            content[at] ^= 0xFF
        each.write_bytes(content)


def lose_a_file(folder):
    files(folder, "*.sst")[0].unlink()


def fill_with_noise(folder):
    for each in files(folder, "*"):
        each.write_bytes(b"\x00\x01noise" * 1_000)


DAMAGES = (
    empty_current,
    cut_manifest,
    flip_tables,
    cut_log,
    flip_log,
    lose_a_file,
    fill_with_noise,
)


@pytest.fixture
def folder(cluster, tmp_path):
    """Return the explicit state folder of the workers."""
    folder = tmp_path / "state"
    cluster.worker_variables = settings_of("rocksdb") | {"LEADVELOCITY_STATE_DIR": str(folder)}
    return folder


def fold_some(cluster, traffic, *, number=signal.SIGTERM):
    """Let a worker fold a backlog, then end it."""
    cluster.send(traffic.backlog(3_000, last_ms=now_ms() - 10 * MINUTE_MS))
    name = cluster.start_worker()
    cluster.wait(cluster.caught_up, seconds=90, what="folding")
    cluster.supervisor.leave(name, number)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_folder(cluster, ending, seed, folder, damage):
    """State that is damaged on disk is rebuilt from the changelog, or refused; never believed."""
    traffic = Traffic(seed=seed, leads=500)
    fold_some(cluster, traffic)
    fold_some(cluster, traffic, number=signal.SIGKILL)
    damage(folder)
    cluster.start_worker()
    cluster.send(traffic.backlog(3_000, last_ms=now_ms()))
    ending(f"state folder: {damage.__name__.replace('_', ' ')}", times=1, traffic=traffic)


def test_an_older_copy_comes_back(cluster, ending, seed, folder, tmp_path):
    """A folder restored from yesterday's backup is brought up to the changelog before use."""
    traffic = Traffic(seed=seed, leads=500)
    fold_some(cluster, traffic)
    shutil.copytree(folder, tmp_path / "copy")
    fold_some(cluster, traffic)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    cluster.start_worker()
    cluster.send(traffic.backlog(3_000, last_ms=now_ms()))
    ending("state folder: older copy", times=1, traffic=traffic)


def test_a_folder_of_another_pipeline(cluster, ending, seed, folder):
    """State of another app is refused with code 1, or rebuilt; it is never taken for our own."""
    other = {"LEADVELOCITY_ENGINE__APP_ID": f"other-{cluster.app_id}"}
    cluster.pipeline.attempt("setup", **other)
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(2_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_worker("own", LEADVELOCITY_STATE_DIR=str(folder.with_name("own")))
    cluster.wait(cluster.caught_up, seconds=60, what="folding")
    cluster.supervisor.leave("own")
    folder.with_name("own").rename(folder)
    code, said = cluster.run_worker(seconds=20, **other)
    if code == 0:
        scored = len(cluster.reader.read(["scored-events"]))
        assert scored >= 4_000, "it went on from positions that are not its own"
        return
    assert code == 1, said
    assert str(folder) in said
    cluster.start_worker()
    ending("state folder: another pipeline's", times=1, traffic=traffic)


def test_two_workers_on_one_folder(cluster, ending, seed, folder):
    """A second worker on a folder in use is refused with code 1 and a cure; the first goes on."""
    traffic = Traffic(seed=seed)
    cluster.start_worker()
    cluster.send(traffic.backlog(1_000, last_ms=now_ms()))
    cluster.wait(cluster.caught_up, seconds=60, what="folding")

    code, said = cluster.run_worker()

    assert code == 1, said
    assert str(folder) in said
    assert "LEADVELOCITY_STATE_DIR" in said
    cluster.send(traffic.backlog(1_000, last_ms=now_ms()))
    ending("two workers on one state folder", times=1, traffic=traffic)


def test_a_folder_that_is_none(cluster, seed, folder):
    """A state folder that cannot be made is refused with code 1 and its name."""
    folder.write_text("a file")

    code, said = cluster.run_worker()

    assert code == 1, said
    assert str(folder) in said


def test_a_full_disk(cluster, ending, seed, folder, tmp_path):
    """A worker whose disk is full ends without a hole, and goes on once there is room."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    limited = {
        "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}",
        "LEADVELOCITY_ENGINE__STORE_WRITE_BUFFER_BYTES_MAX": str(WRITE_BUFFER_BYTES_MAX),
    }
    traffic = Traffic(seed=seed, leads=5_000)
    cluster.send(traffic.backlog(20_000, last_ms=now_ms() - 10 * MINUTE_MS))
    # Files are written behind the work, so only a later commit meets the full disk.
    cluster.send_live(traffic.live(4_000), rate_per_s=100)

    code, said = cluster.run_worker(**limited)

    assert code in (1, 70), said
    cluster.start_worker()
    cluster.send(traffic.backlog(3_000, last_ms=now_ms()))
    ending("full disk", times=1, traffic=traffic)
