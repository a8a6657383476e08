"""The fail-stop shell between the consumer group and the tasks."""

from collections.abc import Awaitable, Callable

from aiokafka import ConsumerRebalanceListener, TopicPartition

from streams.exits import or_fail_stop
from streams.task_set import TaskSet


class RebalanceListener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Passes revocations and assignments on; aiokafka would swallow their errors, so we end here.

    Parameters
    ----------
    tasks : TaskSet
    announce : callable
        Told of each assignment before its tasks start.
    """

    def __init__(
        self, tasks: TaskSet, announce: Callable[[set[TopicPartition]], Awaitable[None]]
    ) -> None:
        self._tasks = tasks
        self._announce = announce

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Stop all tasks before others take them."""
        with or_fail_stop(f"revoking {revoked}"):  # others must not wait for a worker in doubt
            await self._tasks.revoke()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Start tasks; returns at once, since no heartbeat is sent meanwhile."""
        with or_fail_stop(f"assigning {assigned}"):  # without its tasks it would hold them idle
            await self._announce(set(assigned))
            self._tasks.assign(set(assigned))
