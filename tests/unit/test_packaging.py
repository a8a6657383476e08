"""The wheel: what is in it, and what of it lives without third parties."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hatch_build
from leadvelocity import PACKAGES
from leadvelocity.compiled import RECORD, compiled_modules

ROOT = Path(__file__).resolve().parents[2]
DATA = (".avsc", ".sql", ".lock", ".properties", ".typed")

FOLD_ONE_EVENT = """
import sys
from pathlib import Path

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
sys.modules |= dict.fromkeys(["faust", "aiokafka", "pydantic", "msgspec", "fastavro", "yaml"])

import scoring
from scoring.event import Event, EventType
from scoring.fold import fold
from scoring.model import Model, Signal, Tier

assert Path(scoring.__file__).is_relative_to(folder), scoring.__file__
lowest = float("-inf")
model = Model(
    name="wheel", version="v", state_version="s", groups=(), fit=(), machine_weight=0.2,
    signals=(Signal(name="visit", on=EventType.WEBSITE_VISIT, when=None, points=10.0,
                    half_life_ms=1_000, cap=None, group=None),),
    tiers=(Tier(name="cold", enter=lowest, exit=lowest, dwell_ms=0),
           Tier(name="hot", enter=10.0, exit=5.0, dwell_ms=0)),
    fast_half_life_ms=1_000, slow_half_life_ms=10_000, recent_ids_max=64,
)
event = Event(type=EventType.WEBSITE_VISIT, event_id="e", lead_id="l", occurred_at_ms=7,
              machine=None, fields={}, profile={})
[change] = fold(None, event, model).changes
print(change.from_tier, change.to_tier, change.score.total, change.cools_at_ms)
"""

FOLD_TRAFFIC = """
from leadvelocity.compiled import compiled_modules
from leadvelocity.demo.generator import Traffic, Poison, Stray
from leadvelocity.options import json_text
from leadvelocity.replaying import document, replay_events
from leadvelocity.scoring_model import load_model

traffic = Traffic(seed=7, leads=100, start_ms=1_800_000_000_000)
sent = [traffic.next(1_800_000_000_000 + 600_000 * number) for number in range(5_000)]
events = [each.event if isinstance(each, Stray) else each
          for each in sent if not isinstance(each, Poison)]
replays = replay_events(events, load_model(None), partitions=4)
for each in replays:
    each.fire_all(until_ms=1_900_000_000_000)
print(len(compiled_modules()) > 0)
print(json_text(document(replays)))
"""


def _run(*command, cwd):
    ran = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel of this tree, without the network."""
    folder = tmp_path_factory.mktemp("dist")
    _run(
        sys.executable,
        *("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT),
        cwd=folder,
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel alone into a folder; nothing it depends on comes along."""
    folder = tmp_path_factory.mktemp("installed")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile")
    _run(
        sys.executable,
        *(*pip, "--no-deps", "--no-index", "--target", folder, wheel),
        cwd=folder,
    )
    return folder


def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel):
    """What works in the checkout works when installed, and tests and drafts stay at home."""
    held = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", *DATA) and "__pycache__" not in path.parts
    }
    needed.add("leadvelocity/models/default.yaml")

    assert needed - held == set(), "the wheel lacks these: see [tool.hatch.build] in pyproject.toml"
    roots = {name.split("/")[0] for name in held}
    ours = {root for root in roots if not root.endswith((".dist-info", ".so"))}
    assert ours == set(PACKAGES)


def test_the_wheel_is_compiled(installed):
    """Who installs the wheel needs no compiler, and has each module of the list compiled."""
    try:
        hatch_build.compiler()
    except hatch_build.NotCompiled as reason:
        pytest.skip(str(reason))
    names = {str(path.with_suffix("")).replace("/", ".") for path in hatch_build.listed(ROOT)}

    assert set(compiled_modules(installed)) == names
    [info] = installed.glob("leadvelocity-*.dist-info")
    assert "Root-Is-Purelib: false" in (info / "WHEEL").read_text(encoding="utf-8")


def test_the_wheel_brings_each_kind_of_data(wheel):
    """Contracts, migrations, the model, the stack's locks and settings, and types come along."""
    held = set(zipfile.ZipFile(wheel).namelist())

    assert held >= {
        "schemas/avro/tier-changes.avsc",
        "sinks/migrations/001_tables.sql",
        "leadvelocity/models/default.yaml",
        "leadvelocity/stack/kafka.lock",
        "leadvelocity/stack/registry.lock",
        "leadvelocity/stack/kafka-server.properties",
        *(f"{package}/py.typed" for package in PACKAGES),
    }


def test_the_wheel_says_what_it_is(installed):
    """It brings the command and the transport, and refuses to be uploaded by accident."""
    [info] = installed.glob("leadvelocity-*.dist-info")
    entries = (info / "entry_points.txt").read_text(encoding="utf-8")
    metadata = (info / "METADATA").read_text(encoding="utf-8")

    assert "leadvelocity = leadvelocity.cli:main" in entries
    assert "task = streams.transport:TaskTransport" in entries
    assert "Classifier: Private :: Do Not Upload" in metadata


def test_the_core_folds_where_nothing_else_is_installed(installed):
    """Scoring needs Python alone: no site-packages, no environment, no current folder."""
    said = _run(sys.executable, "-I", "-S", "-c", FOLD_ONE_EVENT, installed, cwd=installed)

    assert said.split() == ["cold", "hot", "10.0", "1008"]


def test_compiled_or_not_the_bytes_are_the_same(installed, tmp_path):
    """Half a month of lifelike traffic comes to the same changes, to the last bit of each score."""
    if not compiled_modules(installed):
        pytest.skip("nothing is compiled here")
    pure = shutil.copytree(
        installed, tmp_path / "pure", ignore=shutil.ignore_patterns("*.so", RECORD.name)
    )
    folded = [_run(sys.executable, "-c", FOLD_TRAFFIC, cwd=folder) for folder in (installed, pure)]

    (first, of_compiled), (second, of_pure) = (each.split("\n", 1) for each in folded)
    assert (first, second) == ("True", "False")
    assert of_compiled == of_pure
    assert len(json.loads(of_pure)["tier_changes"]) > 100
