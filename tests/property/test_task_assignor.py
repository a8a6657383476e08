"""Laws of the assignment of tasks: whole, even, the same on any leader, and where they were."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from hypothesis import given
from hypothesis import strategies as st

from streams.task_assignor import Claims, TaskAssignor

INPUTS = {"scoring": ("visits", "opens"), "velocity": ("changes",)}
TOPICS = sorted(topic for topics in INPUTS.values() for topic in topics)
NAMES = st.sampled_from([f"member-{letter}" for letter in "abcdefg"])

Shares = dict[str, list[tuple[str, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Topics with equal partition counts."""

    partitions: int

    def partitions_for_topic(self, topic: str) -> set[int]:
        return set(range(self.partitions))


def joining(claims: Claims, topics: list[str]) -> ConsumerProtocolMemberMetadata:
    return ConsumerProtocolMemberMetadata(0, sorted(topics), msgspec.json.encode(claims))


def assign(cluster: Cluster, members: Mapping[str, ConsumerProtocolMemberMetadata]) -> Shares:
    """Return each member's tasks, after seeing that they are whole."""
    assignor = TaskAssignor(INPUTS, Claims)
    given_out = assignor.assign(cluster, members)
    return {name: tasks_of(each) for name, each in given_out.items()}


def tasks_of(assignment: ConsumerProtocolMemberAssignment) -> list[tuple[str, int]]:
    partitions = dict(assignment.assignment)
    tasks = []
    for kind, topics in INPUTS.items():
        shares = [partitions.get(topic, []) for topic in topics]
        assert all(share == shares[0] for share in shares), "a task is torn"
        tasks += [(kind, partition) for partition in shares[0]]
    return tasks


CLAIMS = st.builds(
    Claims,
    owned=st.lists(st.builds("{}-{}".format, st.sampled_from([*INPUTS]), st.integers(0, 9))),
    held=st.lists(st.builds("{}-{}".format, st.sampled_from([*INPUTS]), st.integers(0, 9))),
)
MEMBERS = st.dictionaries(NAMES, st.builds(joining, CLAIMS, st.just(TOPICS)), min_size=1)
CLUSTERS = st.builds(Cluster, partitions=st.integers(1, 12))


@given(CLUSTERS, MEMBERS)
def test_each_task_has_one_owner_and_nobody_two_more_than_another(cluster, members) -> None:
    """Whatever members claim, each task goes to one of them, evenly by kind."""
    shares = assign(cluster, members)

    owned = Counter(task for tasks in shares.values() for task in tasks)
    assert owned == Counter((kind, each) for kind in INPUTS for each in range(cluster.partitions))
    for kind in INPUTS:
        counts = [sum(each == kind for each, _ in tasks) for tasks in shares.values()]
        assert max(counts) - min(counts) <= 1


@given(CLUSTERS, MEMBERS, st.randoms())
def test_any_leader_comes_to_the_same_answer(cluster, members, chance) -> None:
    """The order in which a leader hears of members makes no difference."""
    names = list(members)
    chance.shuffle(names)

    assert assign(cluster, members) == assign(cluster, {name: members[name] for name in names})


@given(CLUSTERS, st.sets(NAMES, min_size=1), st.sets(NAMES, min_size=1))
def test_members_keep_what_they_had(cluster, before, after) -> None:
    """Of what a member had it keeps all, or as much as an even share allows."""
    had = assign(cluster, {name: joining(Claims(), TOPICS) for name in before})
    members = {
        name: joining(Claims(owned=[f"{kind}-{each}" for kind, each in had.get(name, [])]), TOPICS)
        for name in after
    }
    has = assign(cluster, members)

    for name in before & after:
        for kind in INPUTS:
            kept = {task for task in had[name] if task[0] == kind} & set(has[name])
            had_of_kind = sum(each == kind for each, _ in had[name])
            assert len(kept) >= min(had_of_kind, cluster.partitions // len(after))


@given(CLUSTERS, st.sets(NAMES, min_size=2))
def test_who_comes_back_gets_what_it_holds(cluster, names) -> None:
    """A member that was away, and holds states on disk, gets no task that others had instead of
    one whose state it holds.
    """
    away = min(names)
    had = claimed(assign(cluster, {name: joining(Claims(), TOPICS) for name in names}))
    others = {name: joining(Claims(owned=had[name]), TOPICS) for name in names - {away}}
    meanwhile = claimed(assign(cluster, others))
    members = {
        name: joining(Claims(owned=owned, held=owned), TOPICS) for name, owned in meanwhile.items()
    }
    members[away] = joining(Claims(held=had[away]), TOPICS)
    has = claimed(assign(cluster, members))

    for name, owned in meanwhile.items():
        for kind in INPUTS:
            could_be_its = of_kind(kind, has[name]) & set(had[away])
            given_instead = of_kind(kind, has[away]) - set(had[away])
            assert not could_be_its or not given_instead & set(owned)


def claimed(shares: Shares) -> dict[str, list[str]]:
    return {name: [f"{kind}-{each}" for kind, each in tasks] for name, tasks in shares.items()}


def of_kind(kind: str, tasks: list[str]) -> set[str]:
    return {task for task in tasks if task.startswith(f"{kind}-")}


@given(CLUSTERS, st.dictionaries(NAMES, st.sets(st.sampled_from(TOPICS)), min_size=1))
def test_a_task_goes_only_to_who_reads_all_its_inputs(cluster, subscriptions) -> None:
    """Members that do not read all inputs of a kind get none of its tasks; others get all."""
    members = {name: joining(Claims(), sorted(topics)) for name, topics in subscriptions.items()}
    shares = assign(cluster, members)

    for kind, topics in INPUTS.items():
        able = {name for name, read in subscriptions.items() if read.issuperset(topics)}
        owners = {name for name, tasks in shares.items() if any(each == kind for each, _ in tasks)}
        assert owners <= able
        owned = sum(each == kind for tasks in shares.values() for each, _ in tasks)
        assert owned == (cluster.partitions if able else 0)
