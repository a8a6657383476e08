"""The pinned files of the Java programs."""

import hashlib
from dataclasses import replace

import pytest

from leadvelocity.stack.artifact import pinned
from leadvelocity.stack.fetching import is_whole

PROGRAMS = ("kafka", "registry")


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_file_has_a_version_and_a_hash(program):
    """Nothing of a stack floats."""
    for artifact in pinned(program):
        assert len(artifact.sha256) == 64
        assert int(artifact.sha256, 16)
        assert artifact.version[0].isdigit()
        assert "SNAPSHOT" not in artifact.version


def test_kafka_is_of_one_version():
    """Jgo once mixed in a client library of another release; the lock cannot."""
    versions = {each.version for each in pinned("kafka") if each.group == "org.apache.kafka"}

    assert len(versions) == 1
    assert versions.pop().startswith("4.1.")


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_two_files_share_a_name(program):
    """The cache is one folder."""
    names = [each.file_name for each in pinned(program)]

    assert len(set(names)) == len(names)


def test_a_file_that_differs_is_not_the_pinned_one(tmp_path):
    """A torn or changed file in the cache is fetched again, not run."""
    (artifact,) = pinned("registry")
    file = tmp_path / artifact.file_name
    file.write_bytes(b"right")
    right = replace(artifact, sha256=hashlib.sha256(b"right").hexdigest())

    assert is_whole(file, right)
    file.write_bytes(b"righ")
    assert not is_whole(file, right)
    assert not is_whole(tmp_path / "absent", right)
