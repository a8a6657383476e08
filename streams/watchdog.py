"""Watches that a worker gets on: while it takes over, or records wait, it must not stand still."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.exits import NoProgress
from streams.task import Task

LOOK_S = 5.0
"""Between two looks."""


class Watchdog:
    """Compares each task's progress with the ends of its inputs.

    Parameters
    ----------
    consumer : AIOKafkaConsumer
    witness : TopicPartition
        Any partition that exists: whoever has no task still must hear from Kafka.
    tasks : callable
        Returns the tasks that the worker has now.
    progress_s_max : float
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        witness: TopicPartition,
        tasks: Callable[[], Iterable[Task]],
        *,
        progress_s_max: float,
    ) -> None:
        self._consumer = consumer
        self._witness = witness
        self._tasks = tasks
        self._progress_s_max = progress_s_max
        self._seen: dict[str, tuple[object, float]] = {}

    async def watch(self) -> None:
        """Look again and again.

        Raises
        ------
        NoProgress
        """
        while True:
            await asyncio.sleep(min(LOOK_S, self._progress_s_max / 4))
            await self._hear_from_kafka()
            tasks = tuple(self._tasks())
            for task in tasks:
                await self._look(task)
            self._seen = {task.name: self._seen[task.name] for task in tasks}

    async def _hear_from_kafka(self) -> None:
        try:
            async with asyncio.timeout(self._progress_s_max):
                while True:
                    try:
                        await self._consumer.end_offsets([self._witness])
                    except KafkaError:
                        await asyncio.sleep(1)
                    else:
                        return
        except TimeoutError as error:
            raise NoProgress(
                f"Kafka gave no answer for {self._progress_s_max:.0f} s; check that it runs"
            ) from error

    async def _look(self, task: Task) -> None:
        now_s = asyncio.get_running_loop().time()
        progress, since_s = self._seen.get(task.name, (None, now_s))
        if progress != task.progress or not await self._is_waiting(task):
            progress, since_s = task.progress, now_s
        self._seen[task.name] = (progress, since_s)
        if now_s - since_s > self._progress_s_max:
            raise NoProgress(
                f"task {task.name} has folded nothing for {now_s - since_s:.0f} s, though records "
                f"wait or it takes over: {task.progress}"
            )

    async def _is_waiting(self, task: Task) -> bool:
        try:
            async with asyncio.timeout(self._progress_s_max):
                return await task.is_waiting()
        except KafkaError:  # it does not answer, which is watched elsewhere
            return False
        except TimeoutError as error:
            raise NoProgress(f"task {task.name} does not say where it is") from error
