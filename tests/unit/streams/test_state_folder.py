"""The folder of a worker's local state."""

import os

import pytest

from streams.state_folder import StateFolderRefused, claim, claim_free


def test_a_folder_has_one_worker(tmp_path) -> None:
    """A second worker on a folder is refused with the cure, until the first has gone."""
    first = claim(tmp_path / "state")
    with pytest.raises(StateFolderRefused, match="LEADVELOCITY_STATE_DIR"):
        claim(tmp_path / "state")

    os.close(first.descriptor)  # as the system does when a process ends
    os.close(claim(tmp_path / "state").descriptor)


def test_workers_take_free_folders(tmp_path) -> None:
    """Each worker takes the first folder that nobody has, so a restarted one finds its own."""
    folders = [claim_free(tmp_path) for _ in range(3)]
    assert [each.path.name for each in folders] == ["0", "1", "2"]

    os.close(folders[1].descriptor)
    assert claim_free(tmp_path).path.name == "1"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path) -> None:
    """Where a file stands in the way, the message names the setting."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StateFolderRefused, match="LEADVELOCITY_STATE_DIR"):
        claim(tmp_path / "file" / "state")
