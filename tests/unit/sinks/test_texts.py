"""Scalars as texts, and back."""

import math

from hypothesis import given
from hypothesis import strategies as st

from sinks.columns import misread_texts
from sinks.texts import misread_names, scalar_of, text_of

ANSWERS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
LOOKS = st.sampled_from(
    ("200", "-1", "0.5", "1e300", "true", "false", "inf", "nan", "007", "", "x")
)


@given(answers=st.dictionaries(st.text(), ANSWERS | LOOKS))
def test_texts_and_their_names_give_the_answers_back(answers) -> None:
    """A map of texts, with the names of those that came as texts, holds every answer and type."""
    texts = misread_names(answers)
    for name, value in answers.items():
        text = text_of(value)
        back = text if name in texts else scalar_of(text)
        assert type(back) is type(value)
        assert back == value or (isinstance(back, float) and math.isnan(back))


def test_only_misleading_texts_are_named() -> None:
    """The column names, in order, the strings that read as something else, and nothing more."""
    column = misread_texts("profile")
    rows = [{"z": "200", "b": "true", "n": 200, "c": "ACME", "o": None, "zip": "007"}, {}]
    assert (column.name, column.type) == ("profile_text_fields", "Array(String)")
    assert column.convert(rows) == [["b", "z"], []]
