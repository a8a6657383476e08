"""Model files: what is read, what is refused, and how it is told."""

import json
from pathlib import Path

import pytest

from schemas.model_file import ModelError, json_schema, load
from scoring.event import EventType
from scoring.model import Group, Tier

INF = float("inf")
DAY_MS = 86_400_000

SMALL = """\
model: small
half_life: 7d
signals:
  - {name: visit, on: website_visit, points: 1}
tiers:
  - {name: hot, enter: 70, exit: 60}
  - {name: cold}
"""

DESIGN = """\
model: default
half_life: 7d                      # default for signals
signals:                           # first match wins among rules with the same `on`
  - {name: pricing_page, on: website_visit, when: {path: "/pricing*"}, points: 8, half_life: 5d, cap: 24, group: product}
  - {name: page_view,    on: website_visit, points: 1, cap: 15, group: product}
  - {name: email_open,   on: email_open, points: 2, cap: 10, group: email}
  - {name: demo_request, on: form_fill, when: {form_id: [demo, contact-sales]}, points: 40, half_life: 30d, group: intent}
groups: {product: {cap: 40}, email: {cap: 20}, intent: {}}
fit:      [{when: {country: [US, DE]}, points: 10}, {when: "profile.company_size >= 200", points: 15}]
tiers:    [{name: hot, enter: 70, exit: 60}, {name: warm, enter: 30, exit: 25}, {name: cold}]
velocity: {fast: 1d, slow: 14d}
machine:  {weight: 0.2}            # what an event flagged as a machine's still counts
"""  # noqa: E501


def problems(text: str) -> list[tuple[int, str, str]]:
    """Return what is wrong with a file, as (line, path, message and cure)."""
    with pytest.raises(ModelError) as caught:
        load(text, file_name="m.yaml")
    return [(one.line, one.path, f"{one.message}; {one.cure}") for one in caught.value.problems]


def test_the_design_s_example_is_read() -> None:
    """
    The example of the design gives its signals, groups, tiers (lowest first) and rates.
    """
    model = load(DESIGN, file_name="m.yaml")

    pricing, page, opened, demo = model.signals
    assert (pricing.name, pricing.on, pricing.points) == ("pricing_page", "website_visit", 8.0)
    assert (pricing.half_life_ms, pricing.cap, pricing.group) == (5 * DAY_MS, 24.0, "product")
    assert (page.half_life_ms, page.when) == (7 * DAY_MS, None)
    assert demo.when is not None
    assert demo.when.holds({"form_id": "contact-sales"})
    assert (opened.on, demo.cap) == (EventType.EMAIL_OPEN, None)
    assert model.groups == (
        Group(name="email", cap=20.0),
        Group(name="intent", cap=None),
        Group(name="product", cap=40.0),
    )
    assert model.tiers == (
        Tier(name="cold", enter=-INF, exit=-INF, dwell_ms=0),
        Tier(name="warm", enter=30.0, exit=25.0, dwell_ms=0),
        Tier(name="hot", enter=70.0, exit=60.0, dwell_ms=0),
    )
    assert [rule.points for rule in model.fit] == [10.0, 15.0]
    assert (model.fast_half_life_ms, model.slow_half_life_ms) == (DAY_MS, 14 * DAY_MS)
    assert (model.machine_weight, model.recent_ids_max) == (0.2, 64)


def test_what_may_be_left_out_has_defaults() -> None:
    """
    Groups, fit, velocity, machine, recent_ids and dwell may be left out.
    """
    model = load(SMALL, file_name="m.yaml")

    assert (model.groups, model.fit, model.machine_weight) == ((), (), 1.0)
    assert (model.fast_half_life_ms, model.slow_half_life_ms) == (DAY_MS, 14 * DAY_MS)
    assert {tier.dwell_ms for tier in model.tiers} == {0}


def test_the_default_model_is_right() -> None:
    """
    The model that ships with the product can be used.
    """
    path = Path(__file__).parents[3] / "models" / "default.yaml"

    model = load(path.read_text(encoding="utf-8"), file_name=path.name)

    assert [tier.name for tier in model.tiers] == ["cold", "warm", "hot"]


def test_yaml_words_are_words() -> None:
    """
    `on` is a key, NO is Norway, 10:30 and dates are text, and a leading zero is kept.
    """
    fit = "fit: [{when: {country: [NO, SE], at: 10:30, zip: 01234, day: 2024-01-01}, points: 5}]\n"
    [rule] = load(SMALL + fit, file_name="m.yaml").fit

    profile = {"country": "NO", "at": "10:30", "zip": "01234", "day": "2024-01-01"}
    assert rule.when.holds({"profile": profile})


def test_groups_may_go_without_a_list() -> None:
    """
    A file without groups may name them; they have no cap.
    """
    model = load(SMALL.replace("points: 1}", "points: 1, group: g}"), file_name="m.yaml")

    assert model.groups == (Group(name="g", cap=None),)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("7d", 7 * DAY_MS),
        ("12 h", 12 * 3_600_000),
        ("30m", 1_800_000),
        ("10s", 10_000),
        ("500ms", 500),
        ('"2w"', 14 * DAY_MS),
    ],
)
def test_durations(text: str, milliseconds: int) -> None:
    """
    A duration is a whole number and a unit, with or without a space.
    """
    model = load(SMALL.replace("half_life: 7d", f"half_life: {text}"), file_name="m.yaml")

    assert model.signals[0].half_life_ms == milliseconds


@pytest.mark.parametrize(
    "text", ["7", "0d", "-1d", "1.5d", "7 days", "d", "99999w", "true", "[7d]"]
)
def test_what_is_no_half_life(text: str) -> None:
    """
    A bare number, a zero, a fraction, another word: refused where it stands, with a cure.
    """
    [(line, path, message)] = problems(SMALL.replace("half_life: 7d", f"half_life: {text}"))

    assert (line, path) == (2, "half_life")
    assert "7d" in message


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "said"),
    [
        ("points: 1", "points: x", 4, "signals[0].points", "plain number"),
        ("points: 1", "points: .nan", 4, "signals[0].points", "finite"),
        ("points: 1", "points: .inf", 4, "signals[0].points", "finite"),
        ("points: 1", "points: true", 4, "signals[0].points", "plain number"),
        ("points: 1", "points: '1'", 4, "signals[0].points", "plain number"),
        ("points: 1", "points: 1e9", 4, "signals[0].points", "1000000"),
        (", points: 1", "", 4, "signals[0].points", "is missing"),
        ("points: 1", "point: 1, points: 1", 4, "signals[0].point", "`points`"),
        ("points: 1", "points: 1, cap: -1", 4, "signals[0].cap", "greater than or equal to 0"),
        ("points: 1", "points: 1, points: 2", 4, "signals[0].points", "already in line 4"),
        ("on: website_visit", "on: visit", 4, "signals[0].on", "'form_fill'"),
        ("name: visit", "name: ''", 4, "signals[0].name", "character"),
        ("name: visit", "name: 5", 4, "signals[0].name", "quotes"),
        ("half_life: 7d\n", "", 3, "signals[0].half_life", "neither"),
        ("points: 1", "points: 1, group: g}\ngroups: {h: {}", 4, "signals[0].group", "add `g: {}`"),
        ("points: 1", "points: 1, when: {}", 4, "signals[0].when", "asks for nothing"),
        ("points: 1", "points: 1, when: {path: []}", 4, "signals[0].when", "empty list"),
        ("points: 1", "points: 1, when: {path: null}", 4, "signals[0].when", "never matches"),
        ("points: 1", "points: 1, when: {path: {a: b}}", 4, "signals[0].when", "neither text"),
        ("points: 1", "points: 1, when: [a]", 4, "signals[0].when", "neither a mapping"),
        ("points: 1", "points: 1, when: 'a >'", 4, "signals[0].when", "at character 4"),
        ("points: 1", "points: 1, when: ''", 4, "signals[0].when", "no CEL expression"),
        ("points: 1", f"points: 1, when: '{'(' * 1_001}'", 4, "signals[0].when", "longer than"),
        ("enter: 70, ", "", 6, "tiers[0].enter", "is missing"),
        (", exit: 60", "", 6, "tiers[0].exit", "is missing"),
        ("exit: 60", "exit: 71", 6, "tiers[0].exit", "above the tier's enter"),
        ("{name: cold}", "{name: cold, enter: 1}", 7, "tiers[1].enter", "leads start there"),
        ("{name: cold}", "{name: hot}", 7, "tiers[1].name", "already in line 6"),
        ("exit: 60", "exit: 60, dwell: 5", 6, "tiers[0].dwell", "no unit"),
        ("model: small", "model: small\nmachine: {weight: 1.5}", 2, "machine.weight", "less than"),
        ("model: small", "model: small\nmachine: {}", 2, "machine.weight", "is missing"),
        ("model: small", "model: small\nrecent_ids: 0", 2, "recent_ids", "greater than"),
        ("model: small", "model: small\nvelocity: {fast: 14d}", 2, "velocity", "not shorter"),
        ("model: small", "modell: small", 1, "model", "is missing"),
        ("model: small", 'model: "\\ud800"', 1, "model", "surrogate"),
        ("model: small", 'model: small\n"\\ud800": 1', 1, "", "surrogate"),
        ("model: small", "model: !!python/name:os.system x", 1, "model", "tag"),
        ("model: small", "model: small\n? [a, b]\n: c", 1, "", "no text"),
        ("model: small", "model: small\nmodel: other", 2, "model", "already in line 1"),
    ],
)
def test_what_is_refused(old: str, new: str, line: int, path: str, said: str) -> None:
    """
    Each mistake is told with its line, its path, what is wrong and what to do.
    """
    assert old in SMALL

    found = problems(SMALL.replace(old, new, 1))

    assert [one for one in found if one[:2] == (line, path) and said in one[2]], found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("- a\n", "keys and values"),
        ("just words", "keys and values"),
        ("a: [1", "not YAML"),
        ("a: 'x", "not YAML"),
        ("a: b: c", "not YAML"),
        ("\ta: b", "not YAML"),
        ("a: *gone", "not YAML"),
        ("a: \x00", "not YAML"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("%YAML 9.9\n---\na: 1", "not YAML"),
        ("[" * 10_000, "levels"),
        ("{a: " * 5_000, "levels"),
        ("a: &x [*x]", "levels"),
        ("# " + "x" * 262_144, "262144"),
    ],
)
def test_what_is_no_model_at_all(text: str, said: str) -> None:
    """
    Nothing, rubbish, and files made to exhaust the reader are refused by name, at once.
    """
    assert any(said in message for _, _, message in problems(text))


def test_aliases_cannot_multiply_without_end() -> None:
    """
    Ten lists of ten aliases each, nine times over, are refused before they fill the memory.
    """
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert any("values" in message for _, _, message in problems("\n".join(levels)))


def test_aliases_may_repeat_a_little() -> None:
    """
    An anchor and its alias stand for the same condition.
    """
    text = SMALL.replace(
        "points: 1}",
        "points: 1, when: &page {path: /a}}\n"
        "  - {name: b, on: website_visit, when: *page, points: 2}",
    )

    one, two = load(text, file_name="m.yaml").signals

    assert one.when is not None
    assert two.when is not None
    assert one.when.source == two.when.source


def test_all_problems_are_told_at_once() -> None:
    """
    One reading names every mistake, by line, in the error's text too.
    """
    text = (
        SMALL.replace("7d", "7").replace("points: 1", "points: x").replace("exit: 60", "exit: 99")
    )

    with pytest.raises(ModelError) as caught:
        load(text, file_name="m.yaml")

    assert [one.line for one in caught.value.problems] == [2, 4, 6]
    assert str(caught.value).splitlines()[0].startswith("m.yaml:2: half_life: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("points: 1", "points: 2"),
        ("points: 1", "points: 1, cap: 5"),
        ("enter: 70", "enter: 71"),
        ("model: small", "model: other"),
        ("exit: 60", "exit: 60, dwell: 1s"),
        ("model: small", "model: small\nrecent_ids: 65"),
        ("model: small", "model: small\nfit: [{when: {country: US}, points: 1}]"),
    ],
)
def test_judging_changes_the_version_only(old: str, new: str) -> None:
    """
    Points, caps, thresholds and fit make another version that can read the same states.
    """
    before, after = (load(text, file_name="m") for text in (SMALL, SMALL.replace(old, new, 1)))

    assert after.version != before.version
    assert after.state_version == before.state_version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("half_life: 7d", "half_life: 8d"),
        ("name: visit", "name: visits"),
        ("on: website_visit", "on: email_open"),
        ("points: 1", "points: 1, when: {path: /a}"),
        ("name: hot", "name: burning"),
        ("model: small", "model: small\nmachine: {weight: 0.5}"),
        ("model: small", "model: small\nvelocity: {fast: 2d}"),
    ],
)
def test_what_states_depend_on_changes_the_state_version(old: str, new: str) -> None:
    """
    Half-lives, classification, machine weight and places of tiers make states unreadable.
    """
    before, after = (load(text, file_name="m") for text in (SMALL, SMALL.replace(old, new, 1)))

    assert after.state_version != before.state_version


def test_spelling_does_not_change_the_version() -> None:
    """
    Defaults written out, other units, lists of one and other notations are the same model.
    """
    same = """\
tiers:
- exit: 60.0
  enter: 7e1
  name: "hot"
  dwell: 0s
- {"name": "cold"}
velocity: {slow: 2w}
machine: {weight: 1}
recent_ids: 64
groups:
fit: []
half_life: 1w
model: small
signals: [{on: website_visit, name: visit, points: 1.0, half_life: 168h}]
"""

    assert load(same, file_name="a").version == load(SMALL, file_name="b").version


def test_the_version_is_twelve_hex_digits() -> None:
    """
    A version is short enough to be read out, and the same on every machine.
    """
    model = load(DESIGN, file_name="m.yaml")

    assert model.version == "958185eacd95"
    assert model.state_version == "dd7bc22d7d8c"


def test_editors_get_a_json_schema() -> None:
    """
    The JSON Schema names every key, and can be written as JSON.
    """
    schema = json_schema()

    assert json.loads(json.dumps(schema)) == schema
    assert {"model", "signals", "tiers", "groups", "fit"} <= schema["properties"].keys()
    assert schema["additionalProperties"] is False
    assert "half_life" in schema["$defs"]["SignalShape"]["properties"]
