"""Whether the hot path runs compiled, and from these sources."""

import hashlib
from importlib.machinery import EXTENSION_SUFFIXES

import pytest

from leadvelocity import compiled
from leadvelocity.compiled import StaleExtensions, compiled_modules, said_of

SUFFIX = EXTENSION_SUFFIXES[0]
FILES = ("scoring/fold.py", f"scoring/fold{SUFFIX}", f"leadvelocity__mypyc{SUFFIX}")


@pytest.fixture
def root(tmp_path):
    """Return a folder with a module, what was compiled from it, and the record of both."""
    for each in FILES:
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_text(each)
    record = tmp_path / compiled.RECORD
    record.parent.mkdir()
    record.write_text(
        "".join(f"{hashlib.sha256(each.encode()).hexdigest()}  {each}\n" for each in FILES)
    )
    return tmp_path


def test_what_was_compiled_from_these_sources_is_named(root):
    """Operators read in the log and in `--version` that a worker runs compiled."""
    assert compiled_modules(root) == ("scoring.fold",)
    assert said_of(compiled_modules(root)) == "compiled (modules: 1)"


@pytest.mark.parametrize("path", FILES)
def test_what_changed_since_is_refused(root, path):
    """A source that was edited or checked out, or an extension that was, never runs unseen."""
    (root / path).write_text("another")

    with pytest.raises(StaleExtensions, match=f"{path} is not as it was compiled: `make compile`"):
        compiled_modules(root)


@pytest.mark.parametrize("path", FILES)
def test_what_is_gone_is_refused(root, path):
    """Half of a build is none: modules of one build know each other's insides."""
    (root / path).unlink()

    with pytest.raises(StaleExtensions, match=path):
        compiled_modules(root)


def test_an_extension_that_nobody_recorded_is_refused(root):
    """What was compiled in another way may be of any source."""
    (root / f"scoring/decay{SUFFIX}").write_text("")

    with pytest.raises(StaleExtensions, match="scoring/decay"):
        compiled_modules(root)


def test_without_extensions_it_runs_uncompiled(tmp_path):
    """A checkout as git gives it runs, and says at what price."""
    assert compiled_modules(tmp_path) == ()
    assert "uncompiled" in said_of(())


def test_extensions_of_another_python_are_none(root):
    """What this Python does not load neither counts nor matters."""
    (root / "scoring/decay.cpython-27-pdp11.so").write_text("")

    assert compiled_modules(root) == ("scoring.fold",)
