"""Each shortcut of the hot path is held equal to the plain way."""

from dataclasses import replace
from urllib.parse import urlsplit

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.model_file.expression import Expression
from scoring.classification import Classifier, fields_seen, url_path, view
from scoring.condition import fields_match
from scoring.crossing import due_ms, next_change_ms
from scoring.curve import curve_of
from scoring.event import Event
from scoring.fit import Fit
from scoring.fold import fold
from scoring.model import Condition, FitRule, Model
from scoring.prepared import prepared
from scoring.profile import as_mapping
from scoring.recent_ids import digest, holds, recent_ids_of
from scoring.state import LeadState, ProfileField
from tests.property.scoring.histories import model_of, models, mostly_in_order
from tests.property.scoring.test_crossing import judged_states, long_models

any_models = models().map(model_of)
urls = st.builds(
    "".join,
    st.lists(
        st.sampled_from(["http://", "HTTPS://", "//", "x.de", ":80", "/", "a;b", "?", "#", "%2F"])
        | st.text(alphabet="ab/?#[]@: \t\n\\;\u2100é\x00", max_size=5),
        max_size=8,
    ),
)


@given(urls)
@example("https://a.de")
@example("https://a.de/x\n")
@example("https://a.de/x?y\t#z")
def test_the_path_is_the_standards(url: str) -> None:
    """
    Of any URL the path is the one that the standard library finds.
    """
    try:
        expected: str | None = urlsplit(url).path
    except ValueError:
        expected = None

    assert url_path(url) == expected


def plainly_classified(model: Model, event: Event, profile: tuple[ProfileField, ...]) -> str | None:
    """The first rule of the event's type that holds, looked for one by one."""
    seen = view(event, as_mapping(profile))
    for signal in model.signals:
        if signal.on is event.type and (signal.when is None or signal.when.holds(seen)):
            return signal.name
    return None


@given(model=any_models, events=mostly_in_order.filter(bool))
def test_remembered_rules_are_those_found_one_by_one(model: Model, events: list[Event]) -> None:
    """
    Whatever was classified before, an event gets the first rule that holds.
    """
    classifier = Classifier(model)
    for event in [*events, *events]:
        profile = tuple(
            ProfileField(name=name, value=value, at_ms=0)
            for name, value in sorted(event.profile.items())
        )
        rule = classifier.classify(event, profile)
        assert (rule and rule.name) == plainly_classified(model, event, profile)


@given(model=any_models, count=st.integers(0, 6), events=mostly_in_order.filter(bool))
def test_fields_that_no_rule_sees_change_no_signal(
    model: Model, count: int, events: list[Event]
) -> None:
    """
    An event without the fields that no rule of the model looks at gets the same rule.
    """
    model = replace(model, signals=model.signals[count:])
    seen = fields_seen(model)
    for event in events:
        fields = {name: value for name, value in event.fields.items() if name in seen}
        lean = event.replace(fields=fields)
        assert plainly_classified(model, lean, ()) == plainly_classified(model, event, ())


@given(
    st.sampled_from([">=", ">", "<=", "<"]),
    st.decimals(0, 1000, places=2),
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 1200) | st.text(max_size=3),
)
def test_comparisons_are_those_of_cel(operator: str, bound: object, value: object) -> None:
    """
    A comparison with a number holds when CEL says so.
    """
    quick = Expression(f"duration_s {operator} {bound}")
    slow = Expression(f"(duration_s {operator} {bound})")

    for seen in ({"duration_s": value}, {"profile": {"duration_s": value}}, {}):
        assert quick.holds(seen) == slow.holds(seen)


@given(data=st.data(), model=long_models)
def test_nothing_changes_before_it_is_due(data: st.DataObject, model: Model) -> None:
    """
    The quick bound lies after the state's time, and not after the first change.
    """
    state = data.draw(judged_states(model))
    layout = prepared(model)
    curve = curve_of(state.counts, fit=layout.fit(state.profile), prepared=layout)
    at_ms = state.as_of_ms

    bound_ms = due_ms(curve, model.tiers, rank=state.tier, since_ms=state.since_ms, after_ms=at_ms)

    exact_ms = next_change_ms(state, model)
    assert bound_ms is None or at_ms < bound_ms
    assert exact_ms is None or (bound_ms is not None and bound_ms <= exact_ms)


@given(model=any_models, events=mostly_in_order.filter(bool))
def test_the_due_time_of_a_fold_is_never_late(model: Model, events: list[Event]) -> None:
    """
    After any events the state is due at the next change at the latest.
    """
    state: LeadState | None = None
    for event in events:
        state = fold(state, event, model).state
        exact_ms = next_change_ms(state, model)
        assert exact_ms is None or (state.due_ms is not None and state.due_ms <= exact_ms)


@given(st.lists(st.text(max_size=4), max_size=70), st.text(max_size=4))
def test_recent_ids_are_a_set_in_order(event_ids: list[str], event_id: str) -> None:
    """
    An id is found exactly if it was entered, and never across two others.
    """
    recent_ids = recent_ids_of(event_ids)

    assert holds(recent_ids, digest(event_id)) == (event_id in event_ids)


def test_an_id_across_two_others_is_none() -> None:
    """
    Eight bytes that begin within one digest and end in the next are no id.
    """
    first, second = b"abcdefgh", b"ijklmnop"
    assert not holds(first + second, b"efghijkl")
    assert holds(first + second + b"efghijkl", b"efghijkl")


conditions = st.sampled_from(
    (
        fields_match({"country": ["DE", "1"]}),
        fields_match({"profile.role": "*Head*"}),
        Expression("profile.seats >= 1"),
        Expression("seats == 1 && has(profile.role)"),
    )
)
answers = st.sampled_from((1, 1.0, "1", None, "DE", "Head of IT", "x" * 600))
profiles = st.dictionaries(st.sampled_from(("country", "role", "seats", "other")), answers).map(
    lambda fields: tuple(ProfileField(name, fields[name], 7) for name in sorted(fields))
)


@settings(max_examples=300)
@given(
    st.lists(conditions | st.just(Expression("size(profile) > 1")), min_size=1, max_size=3),
    st.lists(profiles, min_size=4, max_size=12),
)
def test_a_remembered_fit_is_the_sum_of_the_rules(
    when: list[Condition], leads: list[tuple[ProfileField, ...]]
) -> None:
    """
    Whichever answers came before, a lead's fit is that of its own.
    """
    rules = tuple(FitRule(when=each, points=2.0**place) for place, each in enumerate(when))
    fit = Fit(rules)
    for profile in leads:
        seen = {"profile": as_mapping(profile)}
        plain = sum(rule.points for rule in rules if rule.when.holds(seen))
        assert [fit.of(profile), fit.of(profile)] == [plain, plain]
