"""The documentation: generated pages are current, links lead somewhere, commands exist."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from leadvelocity.cli import app
from leadvelocity.settings import Settings, load_settings
from schemas.model_file import load

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FILE = re.compile(r"`((?:tests|leadvelocity|streams|agents|docs|scoring|schemas|sinks)/[\w/.-]+)`")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _name(path):
    return str(path.relative_to(ROOT))


def _text(path):
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generated():
    """Return what docs/generate.py would write now."""
    return runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()


def test_the_reference_is_what_the_product_says(generated):
    """Topics, settings, tables and commands in the docs are those of the code."""
    folder = ROOT / "docs" / "reference"
    held = {path.name: _text(path) for path in folder.glob("*.md")}
    old = [name for name, text in generated.items() if held.get(name) != text]

    assert not old, f"run `.venv/bin/python docs/generate.py`: {old}"
    assert held.keys() == generated.keys(), "docs/reference/ holds generated pages alone"


def test_every_setting_has_a_meaning(generated):
    """No setting is listed without what it does."""
    rows = [row for row in generated["settings.md"].splitlines() if row.startswith("| `LEAD")]

    assert len(rows) > len(Settings.model_fields)
    assert [row for row in rows if row.endswith("|  |")] == []


def _anchors(path):
    titles = re.findall(r"^#+ (.+)$", _text(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_links_lead_somewhere(path):
    """Every link to a file of ours, and to a heading in it, finds it."""
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", _text(path)):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        if not page.exists() or (anchor and anchor not in _anchors(page)):
            lost.append(target)

    assert not lost, f"{_name(path)}: {lost}"


def _calls(text):
    """Find what readers are told to type: leadvelocity commands in code."""
    code = re.findall(r"^ {4}(.+)$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", text)
    for line in code:
        if line.startswith("leadvelocity ") and not {"…", "|", "→"} & set(line):
            yield line


def _problem(line):
    """Say what is wrong with a call, by the command's own options; None: nothing."""
    words = shlex.split(re.sub(r"\$\([^)]*\)|\$\w+", "value", line), comments=True)[1:]
    command = typer.main.get_command(app)
    while words and hasattr(command, "resolve_command"):
        context = command.context_class(command, info_name="leadvelocity")
        try:
            _, command, words = command.resolve_command(context, words)
        except Exception as error:
            return str(error)
    known = {name for each in command.params for name in each.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"no such option: {unknown}" if unknown else None


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_the_commands_in_the_docs_exist(path):
    """Whoever copies a command from the docs gets no "no such option"."""
    wrong = [f"{line}: {said}" for line in _calls(_text(path)) if (said := _problem(line))]

    assert not wrong, f"{_name(path)}: {wrong}"


def test_files_named_in_the_docs_are_there():
    """A promise that names its test names one that exists."""
    lost = [
        f"{_name(path)}: {file}"
        for path in PAGES
        for file in FILE.findall(_text(path))
        if not (ROOT / file).exists()
    ]

    assert not lost, lost


def test_the_settings_file_in_the_docs_is_one(tmp_path, monkeypatch):
    """The production file can be copied as it stands."""
    for name in list(os.environ):
        if name.startswith("LEADVELOCITY_"):
            monkeypatch.delenv(name)
    [(_, text)] = FENCE.findall(_text(ROOT / "docs" / "how-to" / "run-in-production.md"))
    file = tmp_path / "production.toml"
    file.write_text(text, encoding="utf-8")

    settings = load_settings(file)

    assert settings.kafka.security_protocol == "SASL_SSL"
    assert settings.topics.partitions == 12


def test_the_model_in_the_docs_is_one():
    """The pieces of the model page together are a model."""
    pieces = FENCE.findall(_text(ROOT / "docs" / "how-to" / "write-a-model.md"))
    text = "model: docs\n" + "".join(body for kind, body in pieces if kind == "yaml")

    model = load(text, file_name="docs")

    assert [tier.name for tier in model.tiers] == ["cold", "warm", "hot"]
    assert yaml.safe_load(text)["recent_ids"] == model.recent_ids_max


def test_make_says_what_the_readme_says():
    """Both commands of the README are targets of the Makefile."""
    said = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    named = set(re.findall(r"`make ([a-z-]+)", _text(ROOT / "README.md")))

    assert {"demo", "test"} <= named
    assert named <= set(re.findall(r"^make ([a-z-]+)", said, re.MULTILINE)), sys.executable
