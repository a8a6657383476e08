"""The arrows of the design, checked by import-linter on the contracts in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_arrows_of_the_design_are_kept():
    """Dependencies point one way only, and the core needs nothing."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 broken" in ran.stdout
