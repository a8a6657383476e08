"""Style that no linter can say, checked like any other behaviour."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from hatch_build import listed
from leadvelocity import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400

PRODUCT = sorted(
    path for package in (*PACKAGES, "bench") for path in (ROOT / package).rglob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
COMPILED = [ROOT / path for path in listed(ROOT)]

BANNED = {
    r"\btime\.sleep\(|from time import [^\n]*\bsleep\b": (
        "waits blindly: wait for an event with a timeout, or take the waiting as an argument"
    ),
    r"\b(TODO|FIXME|XXX)\b": "is an open point: open an issue, and leave the code whole",
    r"\bNotImplementedError\b": "promises what is not there: leave the name out until it is",
    r"\basyncio\.wait_for\(": "swallows a cancel on Python 3.11: use asyncio.timeout",
}
ENVIRONMENT = re.compile(r"\bos\.(environ|getenv)\b|from os import [^\n]*\b(environ|getenv)\b")
ENVIRONMENT_READER = ROOT / "leadvelocity" / "settings.py"
CLOCKS = re.compile(
    r"\b(time\.(time|monotonic|perf_counter)(_ns)?|(datetime|date)\.(now|utcnow|today)"
    r"|random\.\w+|uuid[14]|urandom)\("
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_abstract(owner):
    bases = [] if isinstance(owner, ast.Module) else map(ast.unparse, owner.bases)
    return any(base.startswith(("Protocol", "ABC")) for base in bases)


def _name(path):
    return str(path.relative_to(ROOT))


def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path):
    return [node for node in ast.walk(_tree(path)) if isinstance(node, Function)]


def _found(pattern, path):
    """List the lines of a file that match, as an editor can open them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{_name(path)}:{number}: {line.strip()}"
        for number, line in enumerate(lines, start=1)
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize("path", [*PRODUCT, *TESTS], ids=_name)
def test_fits_on_a_screen(path):
    """Every function can be seen at once, and every module read in one go."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    long = [
        f"{_name(path)}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in _functions(path)
        if node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]

    assert not long, f"at most {FUNCTION_LINES_MAX} lines, split by idea: {long}"
    assert lines <= MODULE_LINES_MAX or path in TESTS, (
        f"{_name(path)} has {lines} lines, at most {MODULE_LINES_MAX}: find its two ideas"
    )


def test_a_compiled_function_says_what_it_returns():
    """Compiled by mypyc, a body of a docstring alone aborts the process instead of giving None."""
    silent = [
        f"{_name(path)}:{node.lineno}: {node.name}"
        for path in COMPILED
        for owner in ast.walk(_tree(path))
        if isinstance(owner, ast.ClassDef | ast.Module) and not _is_abstract(owner)
        for node in owner.body
        if isinstance(node, Function) and node.body == node.body[:1] and _is_text(node.body[0])
        if node.returns is not None and ast.unparse(node.returns) != "None"
    ]

    assert not silent, f"write return None: {silent}"


@pytest.mark.parametrize(("pattern", "cure"), BANNED.items(), ids=BANNED.values())
def test_what_is_banned_stays_out(pattern, cure):
    """Product code neither waits blindly, nor leaves points open, nor swallows cancels."""
    found = [line for path in PRODUCT for line in _found(pattern, path)]

    assert not found, f"{cure}: {found}"


def test_the_core_reads_no_clock_and_no_chance():
    """What the fold gives depends on its arguments alone."""
    found = [line for path in (ROOT / "scoring").rglob("*.py") for line in _found(CLOCKS, path)]

    assert not found, f"take times and seeds as arguments: {found}"


def test_the_environment_is_read_in_one_place():
    """Whoever asks what configures the product looks into one module."""
    found = [
        line for path in PRODUCT if path != ENVIRONMENT_READER for line in _found(ENVIRONMENT, path)
    ]

    assert not found, f"make it a setting in leadvelocity/settings.py: {found}"


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_each_test_says_what_it_promises(path):
    """A failing test tells in one sentence which promise was broken."""
    mute = [
        f"{_name(path)}:{node.lineno}: {node.name}"
        for node in _functions(path)
        if node.name.startswith("test_") and not _is_sentence(ast.get_docstring(node))
    ]

    assert not mute, f"give it a docstring, one sentence with a full stop: {mute}"


def _is_sentence(docstring):
    return docstring is not None and docstring.rstrip().endswith((".", "?", "!"))


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_else_installed_our_names(package):
    """Some distributions install `agents` too; pip would overwrite ours without a word."""
    owners = set(packages_distributions().get(package, ["leadvelocity"]))

    assert owners == {"leadvelocity"}, (
        f"{package}/ is installed by {sorted(owners - {'leadvelocity'})} too: take it out of this "
        "environment (docs/adr/0001-flat-packages.md)"
    )


def test_the_lock_names_no_address():
    """The lock holds on any machine, whatever mirror it installs from."""
    found = _found("://", ROOT / "requirements.lock")

    assert not found, f"run `make lock`, which leaves addresses out: {found}"


def test_the_lock_has_a_hash_for_each_version():
    """What is installed is byte for byte what was tested."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    bare = [
        entry.splitlines()[0]
        for entry in entries
        if "==" in entry.splitlines()[0] and "--hash=sha256:" not in entry
    ]

    assert not bare, f"run `make lock`: {bare}"


@pytest.mark.parametrize("path", COMPILED, ids=_name)
def test_no_generator_expression_outlives_its_call(path):
    """Compiled, it is a list of all: only what takes all of it may be given one."""
    tree = _tree(path)
    consumed = {
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
    }
    consumed |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Starred)}
    kept = [
        f"{_name(path)}:{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.GeneratorExp) and node not in consumed
    ]
    assert not kept, f"write a list, or a function that yields: {kept}"
