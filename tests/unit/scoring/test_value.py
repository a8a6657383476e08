"""Values: plain classes that behave as values do."""

import pytest

from scoring.event import Event, EventType
from scoring.state import Count, LeadState, ProfileField

COUNT = Count(0.5, 3)
VALUES = [
    (Count(1.5, 1_000), "ref_ms"),
    (ProfileField("country", "DE", 7), "at_ms"),
    (Event(EventType.WEBSITE_VISIT, "event-1", "ada", 5, None, {}, {}), "occurred_at_ms"),
    (LeadState((None, COUNT), 1.0, 2.0, 3, (), b"", 0, 3, 3, 0, "v", 9.0, 4), "due_ms"),
]


@pytest.mark.parametrize(("value", "name"), VALUES, ids=lambda each: type(each).__name__)
def test_a_value_is_its_fields(value, name) -> None:
    """A copy is equal, one with another field is not, and both say what they hold."""
    copy, other = value.replace(), value.replace(**{name: 12})

    assert copy == value
    assert copy is not value
    assert repr(copy) == repr(value)
    assert other != value
    assert f"{name}=12" in repr(other)


def test_values_of_two_kinds_differ() -> None:
    """Equal fields make no equal values of two kinds."""
    assert Count(1.0, 2) != (1.0, 2)
    assert {Count(1.0, 2), Count(1.0, 2)} == {Count(1.0, 2)}


def test_only_fields_can_be_replaced() -> None:
    """A misspelt field is a mistake of ours, and is told."""
    with pytest.raises(AssertionError):
        Count(1.0, 2).replace(count=3)
