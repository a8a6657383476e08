"""Faust's transport `task://`: delivers batches of tasks, keeps Faust's fetches and commits out."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError
from faust import Schema
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from faust.types.tuples import ConsumerMessage

from streams.batch import Batch
from streams.exits import EngineError, fail_stop, or_fail_stop
from streams.idle_producer import IdleProducer
from streams.rebalance import RebalanceListener
from streams.runtime import Runtime
from streams.task_assignor import Claims, TaskAssignor
from streams.task_set import TaskSet
from streams.watchdog import Watchdog


class FaustPathEntered(EngineError):
    """Faust called a part of its ordinary path that our transport replaces."""


class TaskConsumer(faust_consumer.Consumer):
    """Owns one consumer in Faust's loop and the worker's tasks; to Faust it looks idle."""

    logger = driver.logger
    consumer_stopped_errors = (ConsumerStoppedError,)
    _consumer: AIOKafkaConsumer | None = None
    _task_set: TaskSet | None = None
    _watch: asyncio.Task[None] | None = None

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group; called by Faust once all agents have started."""
        runtime: Runtime = cast("Any", self.app).runtime
        definitions = runtime.definitions
        inputs = {topic for each in definitions for topic in each.inputs}
        if self._consumer is not None or set(topics) != {each.inputs[0] for each in definitions}:
            fail_stop(f"the subscription changed to {sorted(topics)}")
        self.app.flow_control.resume()  # once: it clears the agents' queues
        assignor = TaskAssignor({each.name: each.inputs for each in definitions}, self._claims)
        self._consumer = runtime.clients.member(assignor)
        self._task_set = TaskSet(
            definitions,
            runtime.settings,
            consumer=self._consumer,
            stores=runtime.stores,
            deliver=self._deliver,
            clock_ms=runtime.clock_ms,
            terms=runtime.terms,
        )
        await self._consumer.start()
        self._consumer.subscribe(
            sorted(inputs), listener=RebalanceListener(self._task_set, self._announce)
        )
        self._watch = asyncio.create_task(
            _watched(
                Watchdog(
                    self._consumer,
                    TopicPartition(min(inputs), 0),
                    lambda: self._owned.tasks,
                    progress_s_max=runtime.settings.progress_s_max,
                )
            )
        )

    async def on_stop(self) -> None:
        """Finish the transactions under way, then leave the group."""
        if self._consumer is not None and self._watch is not None:
            self._watch.cancel()
            await self._owned.close()
            await self._consumer.stop()

    @property
    def _owned(self) -> TaskSet:
        assert self._task_set is not None, "tasks come with the subscription"
        return self._task_set

    def _claims(self) -> Claims:
        return self._owned.claims()

    async def _announce(self, assigned: set[TopicPartition]) -> None:
        # Faust's conductor keeps an index of partitions to agents' queues.
        await self.app.topics.on_partitions_assigned(
            {TP(each.topic, each.partition) for each in assigned}
        )

    async def _deliver(self, topic: str, partition: int, batch: Batch) -> None:
        await self.callback(
            ConsumerMessage(
                topic,
                partition,
                0,
                time.time(),
                0,
                [],
                None,
                cast("Any", batch),
                None,
                None,
                None,
                TP(topic, partition),
                generation_id=self.app.consumer_generation_id,
            )
        )

    # What follows keeps Faust's own commits, fetches and recovery out.

    def ack(self, message: Message) -> bool:
        """Acknowledge in name only: a batch tells the task itself when it is folded."""
        message.acked = True
        return True

    def assignment(self) -> set[TP]:
        """Return nothing, so that Faust acts on no partition."""
        return set()

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Commit nothing: positions are committed with their effects."""
        return False

    async def wait_empty(self) -> None:
        """Wait for nothing: tasks stop by themselves."""

    async def verify_all_partitions_active(self) -> None:
        """Check nothing: tasks watch themselves."""

    async def create_topic(self, *_: Any, **__: Any) -> None:
        """Create nothing: `leadvelocity setup` does."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        raise FaustPathEntered(f"commit {offsets}")

    async def _getmany(self, *_: Any, **__: Any) -> Any:
        raise FaustPathEntered("fetch")

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Refuse: positions come from the changelog."""
        raise FaustPathEntered("seek to committed")

    async def _seek(self, partition: TP, offset: int) -> None:
        raise FaustPathEntered(f"seek {partition} to {offset}")

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Refuse: positions come from the changelog."""
        raise FaustPathEntered(f"seek {partitions}")

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        raise FaustPathEntered(f"message of {tp}: {record}")

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def position(self, tp: TP) -> int | None:
        """Return nothing: Faust has no business with positions."""

    def highwater(self, tp: TP) -> int:
        """Return 0: Faust's lag display is not used."""
        return 0

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Return nothing: Faust's lag display is not used."""
        return {}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Return nothing: Faust recovers no table here."""
        return {}

    def topic_partitions(self, topic: str) -> int | None:
        """Return nothing: Faust makes no topics here."""

    def key_partition(
        self, topic: str, key: bytes | None, partition: int | None = None
    ) -> int | None:
        """Return what was asked for: Faust sends nothing here."""
        return partition


class TaskTransport(driver.Transport):
    """The transport behind broker addresses that start with ``task://``."""

    Consumer = TaskConsumer
    Producer = IdleProducer


class BatchSchema(Schema[Any, Any]):
    """Passes batches through as they are."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        """Return no key: a batch has many."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> Batch:
        """Return the batch."""
        batch: Batch = message.value
        return batch


async def _watched(watchdog: Watchdog) -> None:
    with or_fail_stop("the worker does not get on"):  # one that nobody watches must not stay either
        await watchdog.watch()
