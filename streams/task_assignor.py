"""Gives whole tasks to workers: evenly by kind, and where they were if that is even too."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

from streams.exits import EngineError, fail_stop

VERSION = 0
"""Of the consumer protocol's member metadata."""

Members = Mapping[str, ConsumerProtocolMemberMetadata]


class GroupRefused(EngineError):
    """A worker joined a group that works on other terms."""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says of itself when it joins.

    Parameters
    ----------
    owned : list of str
        Tasks that it had until now.
    held : list of str
        Tasks whose state it has at hand.
    terms : str
        What all members must have in common to share tasks.
    """

    owned: list[str] = []
    held: list[str] = []
    terms: str = ""


@dataclass(slots=True, kw_only=True)
class _Member:
    claims: Claims
    topics: frozenset[str]
    tasks: list[tuple[str, int]] = field(default_factory=list)


class TaskAssignor(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka has no types
    """A partition assignor that keeps the inputs of a task together.

    Any member may be asked to assign; all come to the same answer.

    Parameters
    ----------
    inputs : mapping of str to sequence of str
        The input topics of each kind of task.
    claims : callable
        What this member says of itself at the moment.
    """

    name = "leadvelocity-tasks"

    def __init__(self, inputs: Mapping[str, Sequence[str]], claims: Callable[[], Claims]) -> None:
        self._inputs = inputs
        self._claims = claims

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Return what this member joins with."""
        claims = msgspec.json.encode(self._claims())
        return ConsumerProtocolMemberMetadata(VERSION, sorted(topics), claims)

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """End the worker if the group works on other terms; the tasks themselves know the rest."""
        if assignment.user_data:
            fail_stop(
                "joining its group",
                GroupRefused(
                    f"the group works under {assignment.user_data.decode()}, this worker under "
                    f"{self._claims().terms}: give all workers of one LEADVELOCITY_ENGINE__APP_ID "
                    "the same model, or another app id to this one"
                ),
            )

    def assign(
        self, cluster: ClusterMetadata, members: Members
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Return what each member gets."""
        joined = {
            name: _Member(claims=_claims(each), topics=frozenset(each.subscription))
            for name, each in sorted(members.items())
        }
        terms = _terms(joined.values())
        agreed = {name: each for name, each in joined.items() if each.claims.terms == terms}
        for kind, topics in self._inputs.items():
            able = {name: each for name, each in agreed.items() if each.topics.issuperset(topics)}
            count = max(len(cluster.partitions_for_topic(topic) or ()) for topic in topics)
            if able:
                _share_out(kind, count, able)
        return {
            name: self._assignment(cluster, each, b"" if name in agreed else terms.encode())
            for name, each in joined.items()
        }

    def _assignment(
        self, cluster: ClusterMetadata, member: _Member, other_terms: bytes
    ) -> ConsumerProtocolMemberAssignment:
        partitions: dict[str, list[int]] = {}
        for kind, partition in sorted(member.tasks):
            for topic in self._inputs[kind]:
                if partition not in cluster.partitions_for_topic(topic):
                    continue  # whoever gets the rest sees that the task is torn
                partitions.setdefault(topic, []).append(partition)
        return ConsumerProtocolMemberAssignment(VERSION, sorted(partitions.items()), other_terms)


def _share_out(kind: str, count: int, members: Mapping[str, _Member]) -> None:
    """Give each of `count` tasks to a member: nobody gets two more than another.

    Of two that claim a task, the one that had it comes first, then the one that has its state.
    Who has too many gives away first what somebody else has the state of: who comes back from a
    restart then finds its own.
    """
    least, more = divmod(count, len(members))
    given: dict[str, int] = dict.fromkeys(members, 0)
    left = list(range(count))

    def give(partition: int, name: str) -> None:
        nonlocal more
        more -= given[name] == least
        given[name] += 1
        members[name].tasks.append((kind, partition))
        left.remove(partition)

    def has_room(name: str) -> bool:
        return given[name] < least or (given[name] == least and more > 0)

    def wanted(partition: int) -> bool:
        task = f"{kind}-{partition}"
        claims = [each.claims for each in members.values()]
        return any(task in each.held and task not in each.owned for each in claims)

    for claimed in ("owned", "held"):
        for partition in sorted(left, key=wanted):
            for name, member in members.items():
                if f"{kind}-{partition}" in getattr(member.claims, claimed) and has_room(name):
                    give(partition, name)
                    break
    for partition in tuple(left):
        give(partition, min(members, key=lambda name: (given[name], name)))


def _terms(members: Iterable[_Member]) -> str:
    """Return the terms of those who own most tasks; of the first by name if nobody owns any."""
    owned: dict[str, int] = {}
    for each in members:
        owned[each.claims.terms] = owned.get(each.claims.terms, 0) + len(each.claims.owned)
    return max(owned, key=lambda terms: owned[terms])


def _claims(member: ConsumerProtocolMemberMetadata) -> Claims:
    try:
        return msgspec.json.decode(member.user_data or b"{}", type=Claims)
    except msgspec.DecodeError:  # of another version: it claims nothing
        return Claims()
