"""What a commit sends: outputs by the partition they go to, and changed entries as records."""

from agents.records import Output

Place = tuple[str, int]
"""A topic and a partition of it."""


def by_partition(outputs: list[Output], *, own: int) -> dict[Place, list[Output]]:
    """Return outputs by place, in their order.

    Parameters
    ----------
    outputs : list of Output
    own : int
        The task's partition: outputs go there if they do not say otherwise.
    """
    here: dict[str, list[Output]] = {}
    placed: dict[Place, list[Output]] = {}
    for output in outputs:
        partition = output.partition
        if partition is not None and partition != own:
            placed.setdefault((output.topic, partition), []).append(output)
            continue
        of_topic = here.get(output.topic)
        if of_topic is None:
            here[output.topic] = [output]
        else:
            of_topic.append(output)
    for topic, of_topic in here.items():
        placed[topic, own] = of_topic
    return placed


def changelog_records(topic: str, entries: dict[bytes, bytes | None]) -> list[Output]:
    """Return changed entries of a state as records of its changelog."""
    return [Output(topic, key, value) for key, value in entries.items()]
