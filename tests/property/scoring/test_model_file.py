"""Laws of model files."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.model_file import ModelError, load
from tests.property.scoring.histories import models


def reordered(value, draw):
    """Return plain data with the keys of all mappings in another order."""
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: reordered(value[key], draw) for key in keys}
    if isinstance(value, list):
        return [reordered(item, draw) for item in value]
    return value


@given(data=models(), drawn=st.data())
def test_order_of_keys_is_no_part_of_a_model(data, drawn):
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


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(data=models(), broken=anything, drawn=st.data())
def test_a_broken_file_is_told_and_never_more(data, broken, drawn):
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

    try:
        load(json.dumps(data), file_name="broken")
    except ModelError as error:
        assert error.problems
        assert all(one.line >= 1 and one.message and one.cure for one in error.problems)


@settings(max_examples=300)
@given(text=st.text(alphabet="abc:-[]{}&*!#|>'\"%@`,? \n\t1~.", max_size=60))
def test_any_text_is_told_and_never_more(text):
    """
    Text of YAML's own signs in any order is refused with problems, nothing else.
    """
    try:
        load(text, file_name="rubbish")
    except ModelError as error:
        assert error.problems
