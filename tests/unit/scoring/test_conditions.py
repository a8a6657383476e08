"""Conditions and classification, by examples."""

from typing import Any

import pytest

from scoring.classification import Classifier, url_path
from scoring.condition import fields_match
from scoring.event import EventType
from scoring.state import ProfileField
from tests.unit.scoring.makers import MakeEvent, MakeModel, MakeSignal


@pytest.mark.parametrize(
    ("when", "view", "holds"),
    [
        ({"path": "/pricing*"}, {"path": "/pricing/eu"}, True),
        ({"path": "/pricing*"}, {"path": "/Pricing"}, False),
        ({"path": "/*/eu"}, {"path": "/a/b/eu"}, True),
        ({"path": "/p?"}, {"path": "/pq"}, True),
        ({"path": "/[ab]"}, {"path": "/c"}, False),
        ({"path": ["/a", "/b*"]}, {"path": "/bc"}, True),
        ({"path": ["/a*", "/b*"]}, {"path": "/bc"}, True),
        ({"path": ["/a*", "/b*"]}, {"path": "/cb"}, False),
        ({"path": "/a*", "type": "x"}, {"path": "/a", "type": "y"}, False),
        ({"size": 250}, {"size": "250"}, True),
        ({"size": "250"}, {"size": 250.0}, True),
        ({"size": 2.5}, {"size": "2.5"}, True),
        ({"machine": True}, {"machine": "true"}, True),
        ({"machine": True}, {"machine": 1}, False),
        ({"machine": False}, {"machine": None}, False),
        ({"gone": "*"}, {}, False),
        ({"country": "US"}, {"profile": {"country": "US"}}, True),
        ({"country": "US"}, {"country": "DE", "profile": {"country": "US"}}, False),
        ({"profile.country": "US"}, {"country": "US", "profile": {}}, False),
        ({"profile.a.b": 1}, {"profile": {"a.b": 1}}, True),
        ({"text": "a\nb*"}, {"text": "a\nbc\nd"}, True),
    ],
)
def test_a_mapping_holds(when: dict[str, Any], view: dict[str, Any], holds: bool) -> None:
    """
    Globs are case-sensitive, values are compared by their text, and what is missing never matches.
    """
    assert fields_match(when).holds({"profile": {}, **view}) is holds


def test_source_is_canonical() -> None:
    """
    Order of fields and of alternatives, and one value or a list of one, make no difference.
    """
    one = fields_match({"a": ["y", "x"], "b": 1})

    assert one.source == fields_match({"b": ["1"], "a": ["x", "y", "x"]}).source


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://example.com/a/b?c=/d#/e", "/a/b"),
        ("https://example.com", ""),
        ("/relative?x", "/relative"),
        ("https://example.com/a;b", "/a;b"),
        ("http://[", None),
        (None, None),
    ],
)
def test_path_is_the_one_of_the_url(url: str | None, path: str | None) -> None:
    """
    The path is what stands in the URL, without query and fragment; what is no URL has none.
    """
    assert url_path(url) == path


def test_first_match_wins_within_a_type(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent
) -> None:
    """
    The first rule for the event's type that holds takes it, and other types' rules are not asked.
    """
    model = a_model(
        a_signal("open", on=EventType.EMAIL_OPEN),
        a_signal("pricing", when={"path": "/pricing*"}),
        a_signal("any"),
        a_signal("never"),
    )
    classify = Classifier(model).classify

    visits = [an_event(fields={"url": f"https://x.example{path}"}) for path in ("/pricing", "/x")]
    rules = [classify(event, ()) for event in (*visits, an_event(on=EventType.EMAIL_OPEN))]

    assert [rule and (rule.index, rule.signal.name) for rule in rules] == [
        (1, "pricing"),
        (2, "any"),
        (0, "open"),
    ]
    assert classify(an_event(on=EventType.FORM_FILL), ()) is None


def test_conditions_see_the_whole_event(
    a_model: MakeModel, a_signal: MakeSignal, an_event: MakeEvent
) -> None:
    """
    Type, ids, time, machine, own fields and the profile can all be asked for.
    """
    when = {
        "type": "website_visit",
        "event_id": "e-*",
        "lead_id": "lead-1",
        "occurred_at": 7,
        "machine": False,
        "campaign": "spring",
        "country": "US",
    }
    event = an_event(7, event_id="e-1", machine=False, fields={"campaign": "spring"})

    rule = Classifier(a_model(a_signal(when=when))).classify(
        event, (ProfileField(name="country", value="US", at_ms=0),)
    )

    assert rule is not None
