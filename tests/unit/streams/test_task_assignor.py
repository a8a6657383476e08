"""What the assignment of tasks looks like in plain cases."""

from typing import Any

import msgspec
import pytest
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

from streams.task_assignor import Claims, TaskAssignor

INPUTS = {"scoring": ("visits", "opens")}


class Topics:
    """Topics by their partition counts."""

    def __init__(self, **partitions: int) -> None:
        self._partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(self._partitions[topic]))


def member(*, user_data: bytes | None = None, **claims: Any) -> Any:
    data = msgspec.json.encode(Claims(**claims)) if user_data is None else user_data
    return ConsumerProtocolMemberMetadata(0, ["opens", "visits"], data)


def assign(topics: Topics, **members: Any) -> dict[str, dict[str, list[int]]]:
    shares = TaskAssignor(INPUTS, Claims).assign(topics, members)
    return {name: dict(each.assignment) for name, each in shares.items()}


def both(*partitions: int) -> dict[str, list[int]]:
    return {"visits": list(partitions), "opens": list(partitions)}


def test_a_lone_member_gets_all() -> None:
    """One member owns every task, whatever it claims."""
    shares = assign(Topics(visits=3, opens=3), a=member(owned=["scoring-1", "nonsense"]))

    assert {topic: sorted(each) for topic, each in shares["a"].items()} == both(0, 1, 2)


def test_owners_come_before_holders() -> None:
    """Of two that claim a task, the one that had it keeps it; a held one goes where it is held."""
    shares = assign(
        Topics(visits=2, opens=2),
        a=member(held=["scoring-0", "scoring-1"]),
        b=member(owned=["scoring-0"]),
    )

    assert shares == {"a": both(1), "b": both(0)}


def test_a_member_that_comes_back_gets_its_held_tasks() -> None:
    """After a restart a member gets the tasks whose state is on its disk, if nobody had them."""
    shares = assign(
        Topics(visits=4, opens=4), a=member(), b=member(held=["scoring-0", "scoring-1"])
    )

    assert shares == {"a": both(2, 3), "b": both(0, 1)}


def test_who_has_too_much_gives_the_rest_away() -> None:
    """A newcomer gets its even share of what another had."""
    shares = assign(
        Topics(visits=4, opens=4),
        a=member(owned=[f"scoring-{each}" for each in range(4)]),
        b=member(),
    )

    assert shares == {"a": both(0, 1), "b": both(2, 3)}


def test_who_comes_back_finds_its_own() -> None:
    """Who must give tasks away gives those whose state the newcomer holds."""
    owned = [f"scoring-{each}" for each in range(4)]
    shares = assign(
        Topics(visits=4, opens=4),
        a=member(owned=owned, held=owned),
        b=member(held=["scoring-0", "scoring-1"]),
    )

    assert shares == {"a": both(2, 3), "b": both(0, 1)}


@pytest.mark.parametrize("user_data", [b"", b"{", b"[]", b'{"owned": 1}', b"\xff\xfe"])
def test_strange_claims_are_no_claims(user_data: bytes) -> None:
    """A member of another version takes part, and claims nothing."""
    shares = assign(
        Topics(visits=2, opens=2), a=member(user_data=user_data), b=member(owned=["scoring-0"])
    )

    assert shares == {"a": both(1), "b": both(0)}


def test_a_torn_task_shows() -> None:
    """With unequal partition counts the missing input is left out, and its owner can see it."""
    shares = assign(Topics(visits=2, opens=1), a=member())

    assert shares == {"a": {"visits": [0, 1], "opens": [0]}}


def test_a_member_says_what_it_has_at_the_moment() -> None:
    """A member joins with the claims of that moment."""
    owned: list[str] = []
    assignor = TaskAssignor(INPUTS, lambda: Claims(owned=list(owned), held=["scoring-7"]))
    owned.append("scoring-3")
    joined = assignor.metadata({"visits", "opens"})

    claims = msgspec.json.decode(joined.user_data, type=Claims)
    assert claims == Claims(owned=["scoring-3"], held=["scoring-7"])
    assert joined.subscription == ["opens", "visits"]


def test_a_member_on_other_terms_gets_nothing_and_is_told() -> None:
    """Who has another model than the owners of tasks has no part, whoever assigns."""
    members = {
        "a": member(terms="new"),
        "b": member(terms="old", owned=["scoring-0"]),
        "c": member(terms="old"),
    }
    shares = TaskAssignor(INPUTS, Claims).assign(Topics(visits=2, opens=2), members)

    assert {name: each.user_data for name, each in shares.items()} == {
        "a": b"old",
        "b": b"",
        "c": b"",
    }
    assert {name: len(each.assignment) for name, each in shares.items()} == {"a": 0, "b": 2, "c": 2}


def test_a_member_that_is_refused_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker on other terms than its group's ends, and says both."""
    said: list[BaseException | None] = []
    monkeypatch.setattr("streams.task_assignor.fail_stop", lambda reason, error: said.append(error))
    assignor = TaskAssignor(INPUTS, lambda: Claims(terms="new"))

    assignor.on_assignment(ConsumerProtocolMemberAssignment(0, [], b""))
    assert said == []

    assignor.on_assignment(ConsumerProtocolMemberAssignment(0, [], b"old"))
    (error,) = said
    assert "under old" in str(error)
    assert "under new" in str(error)
