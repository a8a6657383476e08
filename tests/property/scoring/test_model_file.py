"""Laws of model files."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.model_file import ModelError, Problem, load
from tests.property.scoring.histories import Data, models


def reordered(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Return plain data with the keys of all mappings in another order."""
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: reordered(value[key], draw) for key in keys}
    if isinstance(value, list):
        return [reordered(item, draw) for item in value]
    return value


@given(data=models(), drawn=st.data())
def test_order_of_keys_is_no_part_of_a_model(data: Data, drawn: st.DataObject) -> None:
    """
    The same mappings in any order have the same versions.
    """
    one = load(json.dumps(data), file_name="one")
    other = load(json.dumps(reordered(data, drawn.draw)), file_name="other")

    assert (one.version, one.state_version) == (other.version, other.state_version)
    assert one.groups == other.groups


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(data=models(), broken=anything, drawn=st.data())
def test_a_broken_file_is_told_and_never_more(
    data: Data, broken: Any, drawn: st.DataObject
) -> None:
    """
    Whatever stands in place of a part, the file is read or refused with problems, nothing else.
    """
    key = drawn.draw(st.sampled_from(sorted(data)))
    part = data[key]
    if isinstance(part, list) and part and drawn.draw(st.booleans()):
        entry = drawn.draw(st.sampled_from(part))
        entry[drawn.draw(st.sampled_from(sorted(entry)))] = broken
    else:
        data[key] = broken

    for problem in problems(json.dumps(data)):
        assert problem.line >= 1
        assert problem.message
        assert problem.cure


@settings(max_examples=300)
@given(text=st.text(alphabet="abc:-[]{}&*!#|>'\"%@`,? \n\t1~.", max_size=60))
def test_any_text_is_told_and_never_more(text: str) -> None:
    """
    Text of YAML's own signs in any order is refused with problems, nothing else.
    """
    assert problems(text)


def problems(text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a file."""
    try:
        load(text, file_name="broken")
    except ModelError as error:
        return error.problems
    return ()
