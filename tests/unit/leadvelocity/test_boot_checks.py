"""What a worker refuses to start on."""

import sys

import pytest

from leadvelocity.boot_checks import check_packages
from leadvelocity.errors import CommandFailed


def test_packages_of_others_under_our_names_are_refused(tmp_path, monkeypatch) -> None:
    """A distribution that installs `agents` too is named, with the cure; without it all is well."""
    check_packages()
    metadata = tmp_path / "stranger-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (metadata / "RECORD").write_text("agents/__init__.py,,\n")
    (metadata / "top_level.txt").write_text("agents\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    with pytest.raises(CommandFailed, match="'agents' is also installed by stranger"):
        check_packages()
