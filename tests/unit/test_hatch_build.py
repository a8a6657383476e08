"""Compiling in place: what is compiled when, and what happens where it cannot be."""

import shlex
import subprocess
import sys

import pytest

import hatch_build
from hatch_build import NotCompiled, compile_in_place, compiler, listed, remove
from leadvelocity.compiled import StaleExtensions, compiled_modules

PROJECT = """
[tool.hatch.build.targets.wheel]
packages = ["scoring"]

[tool.hatch.build.targets.wheel.hooks.custom]
compiled = ["scoring/*.py", "!scoring/limits.py"]
"""
DOUBLE = """
from scoring.limits import FACTOR

def times(number: int) -> int:
    return FACTOR * number
"""
LIMITS = """
from typing import Final

FACTOR: Final = {}
"""

BROKEN = shlex.join([sys.executable, "-c", "raise SystemExit('fatal error: no stdio.h')"])
"""A compiler that compiles nothing."""


@pytest.fixture
def root(tmp_path):
    """Return a project of two modules: one to compile, and one that it takes a constant from."""
    (tmp_path / "scoring").mkdir()
    (tmp_path / "leadvelocity").mkdir()
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "scoring/__init__.py").write_text("")
    (tmp_path / "scoring/double.py").write_text(DOUBLE)
    (tmp_path / "scoring/limits.py").write_text(LIMITS.format(2))
    return tmp_path


@pytest.fixture
def _can_compile():
    try:
        compiler()
    except NotCompiled as reason:
        pytest.skip(str(reason))


def say(root):
    """Return what the module gives, in a process of its own, and the file that it is from."""
    program = "import scoring.double as it; print(it.times(21), it.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    number, file = ran.stdout.split()
    return int(number), file.rpartition(".")[2]


def test_a_glob_after_an_exclamation_mark_leaves_out(root):
    """The list says in one place what is compiled and what is not."""
    assert [str(path) for path in listed(root)] == ["scoring/double.py"]


def test_a_name_on_the_list_that_is_nowhere_is_told(root):
    """A module that was renamed does not fall out of the list unseen."""
    (root / "scoring/limits.py").rename(root / "scoring/other.py")

    with pytest.raises(ValueError, match=r"scoring/limits\.py"):
        listed(root)


@pytest.mark.usefixtures("_can_compile")
def test_what_is_compiled_follows_its_sources(root):
    """Also a constant of a module that stays uncompiled is compiled in, so its change counts."""
    compile_in_place(root)
    assert compiled_modules(root) == ("scoring.double",)
    assert say(root) == (42, "so")

    (root / "scoring/limits.py").write_text(LIMITS.format(3))
    assert say(root) == (42, "so"), "this is why it is refused"
    with pytest.raises(StaleExtensions, match="scoring/limits"):
        compiled_modules(root)

    compile_in_place(root)
    assert compiled_modules(root) == ("scoring.double",)
    assert say(root) == (63, "so")

    remove(root)
    assert compiled_modules(root) == ()
    assert say(root) == (63, "py")


@pytest.mark.usefixtures("_can_compile")
def test_nothing_is_compiled_twice(root, monkeypatch):
    """Who goes back to another state of the sources has its extensions at once."""
    compile_in_place(root)
    remove(root)
    monkeypatch.setenv("CC", BROKEN)

    compile_in_place(root)

    assert compiled_modules(root) == ("scoring.double",)


def test_without_a_compiler_all_runs_uncompiled(root, monkeypatch, capsys):
    """An install never fails for want of a compiler: one line says why, and what to do."""
    (root / f"scoring/double{hatch_build.EXTENSION}").write_text("of other sources")
    monkeypatch.setenv("CC", BROKEN)

    compile_in_place(root)

    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("Runs uncompiled, at a fifth of the speed. ")
    assert "fatal error: no stdio.h" in said
    assert said.endswith("run `make compile`.")
    assert say(root) == (42, "py")


def test_what_mypyc_refuses_is_told(root, capsys):
    """Who is amid a change sees the error, and goes on uncompiled."""
    (root / "scoring/double.py").write_text("number: int = 'text'\n")

    compile_in_place(root)

    assert "scoring/double.py:1: error: Incompatible types" in capsys.readouterr().err
    assert compiled_modules(root) == ()
