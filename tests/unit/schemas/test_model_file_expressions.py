"""CEL conditions."""

from typing import Any

import pytest

from schemas.model_file.expression import Expression, ExpressionError


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("profile.company_size >= 200", ("company_size",)),
        ("profile . a > 1 && has(profile.b) || country == 'US'", ("a", "b", "country")),
        ("profile.a.b == 1", ("a",)),
        ("path == '/'", ("path",)),
        ("'profile.a' == profile.b", ("a", "b")),
        ("1 == 1", ()),
        ("size(profile) > 2", None),
        ("profile.size() > 2", None),
        ("profile.exists (name, name == 'a') && profile.b == 1", None),
        ("profile['a'] == 1", None),
        ("[profile][0].a == 1", None),
        ("profile // all of it\n.exists(name, true)", None),
    ],
)
def test_which_answers_it_may_look_at(text: str, answers: tuple[str, ...] | None) -> None:
    """Of the answers it may look at none is left out; where that cannot be told, it is all."""
    assert Expression(text).answers == answers


def test_other_answers_do_not_matter() -> None:
    """An answer that the expression does not look at changes nothing, whatever it is."""
    profile = {"seats": "20", "other": "9" * 5_000}
    assert Expression("profile.seats > 10").holds({"profile": profile})


@pytest.mark.parametrize(
    ("text", "view", "holds"),
    [
        ("profile.company_size >= 200", {"profile": {"company_size": 200}}, True),
        ("profile.company_size >= 200", {"profile": {"company_size": "250"}}, True),
        ("profile.company_size >= 200", {"profile": {"company_size": " 250 "}}, True),
        ("profile.company_size >= 200", {"profile": {"company_size": "199.5"}}, False),
        ("profile.company_size >= 200", {"profile": {"company_size": "2e2"}}, True),
        ("profile.company_size >= 200", {"profile": {"company_size": "many"}}, False),
        ("profile.company_size >= 200", {"profile": {"company_size": None}}, False),
        ("profile.company_size >= 200", {"profile": {}}, False),
        ("profile.company_size >= 200", {"profile": {"company_size": 2**80}}, True),
        ("profile.company_size >= 200", {"profile": {"company_size": "9" * 400}}, False),
        ("company_size >= 200", {"profile": {"company_size": "250"}}, True),
        ("country == 'US'", {"profile": {"country": "US"}}, True),
        ("country == 'US'", {"country": "DE", "profile": {"country": "US"}}, False),
        ("profile.zip == '01234'", {"profile": {"zip": "01234"}}, True),
        ("form_id == '7'", {"form_id": "7"}, True),
        ("duration_s > 30.0", {"duration_s": 31.5}, True),
        ("duration_s > 30", {"duration_s": 31}, True),
        ("machine == null", {"machine": None}, True),
        ("machine != true", {"machine": False}, True),
        ("path.startsWith('/docs') || path.matches('^/api/v[0-9]')", {"path": "/api/v2"}, True),
        ("has(profile.country)", {"profile": {}}, False),
        ("!has(profile.country)", {"profile": {}}, True),
        ("gone == 1", {}, False),
        ("gone != 1", {}, False),
        ("1 / 0 == 1", {}, False),
        ("1", {}, False),
        ("'true'", {}, False),
        ("path.matches('[')", {"path": "/"}, False),
        ("a + 9223372036854775807 > 0", {"a": 1}, False),
    ],
)
def test_an_expression_holds(text: str, view: dict[str, Any], holds: bool) -> None:
    """
    It holds when the result is true; what is missing, an error or no truth value does not hold.
    """
    assert Expression(text).holds({"profile": {}, **view}) is holds


@pytest.mark.parametrize("text", ["", "a >", "a = 1", "(" * 900, "a" * 1_001, "'"])
def test_what_is_no_expression(text: str) -> None:
    """
    It is refused when the model is read, not when the first event comes.
    """
    with pytest.raises(ExpressionError):
        Expression(text)


def test_source_leaves_space_out() -> None:
    """
    Space around an expression is no part of it.
    """
    assert Expression(" a > 1 ").source == Expression("a > 1").source == "cel:a > 1"
