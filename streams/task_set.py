"""The tasks that a worker owns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.batch import Batch
from streams.definition import TaskDefinition
from streams.exits import TornAssignment
from streams.settings import EngineSettings
from streams.stage import Stage
from streams.state_store import StateStores
from streams.task import Task
from streams.task_assignor import Claims

logger = logging.getLogger(__name__)


class TaskSet:
    """Ownership of tasks: makes them when partitions come, stops them when they go.

    Parameters
    ----------
    definitions : sequence of TaskDefinition
        The kinds of tasks of this worker; no two share an input.
    terms : str
        What all workers of the group must have in common.
    """

    def __init__(
        self,
        definitions: Sequence[TaskDefinition],
        settings: EngineSettings,
        *,
        consumer: AIOKafkaConsumer,
        stores: StateStores,
        deliver: Callable[[str, int, Batch], Awaitable[None]],
        clock_ms: Callable[[], int],
        terms: str = "",
    ) -> None:
        self._definitions = tuple(definitions)
        self._settings = settings
        self._consumer = consumer
        self._stores = stores
        self._deliver = deliver
        self._clock_ms = clock_ms
        self._terms = terms
        self._stage = Stage()
        self._tasks: list[Task] = []
        self._owned: list[str] = []
        self._closed = False

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks that the worker has now."""
        return self._tasks

    def claims(self) -> Claims:
        """Return which tasks would come cheap here."""
        held = sorted(self._stores.held())
        return Claims(owned=self._owned, held=held, terms=self._terms)

    def assign(self, assigned: set[TopicPartition]) -> None:
        """Start a task for each partition that came; take-over goes on in the background.

        Raises
        ------
        TornAssignment
            If the inputs of a task are not all here.
        """
        if self._closed:  # a rebalance was under way when the worker stopped
            return
        for definition in self._definitions:
            partitions = {each.partition for each in assigned if each.topic in definition.inputs}
            for partition in sorted(partitions):
                missing = [
                    topic
                    for topic in definition.inputs
                    if TopicPartition(topic, partition) not in assigned
                ]
                if missing:
                    raise TornAssignment(
                        f"partition {partition} of {definition.name} came without {missing}; all "
                        "inputs need equal partition counts: run `leadvelocity setup`"
                    )
                self._tasks.append(self._task(definition, partition))
        self._owned = [task.name for task in self._tasks]
        self._stores.retain(set(self._owned))
        logger.info("assigned %s", self._owned)

    async def revoke(self) -> None:
        """Stop all tasks and forget their state."""
        tasks, self._tasks = self._tasks, []
        await asyncio.gather(*(task.stop() for task in tasks))

    async def close(self) -> None:
        """Stop all tasks and take no others."""
        self._closed = True
        await self.revoke()

    def _task(self, definition: TaskDefinition, partition: int) -> Task:
        return Task(
            definition,
            partition,
            consumer=self._consumer,
            settings=self._settings,
            stage=self._stage,
            deliver=self._deliver,
            clock_ms=self._clock_ms,
        )
