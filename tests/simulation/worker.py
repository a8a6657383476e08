"""A worker of a simulation: the real engine in a process on virtual time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from aiokafka import TopicPartition

from agents.reducer import Reducer
from streams.batch import Batch
from streams.definition import TaskDefinition
from streams.kafka_ledger import KafkaLedger, KafkaLedgers, changelog_topic
from streams.ledger import Ledger
from streams.memory_store import MemoryStores
from streams.rebalance import RebalanceListener
from streams.settings import EngineSettings
from streams.state_store import StateFormat, StateStores
from streams.task import Task
from streams.task_set import TaskSet
from tests.simulation.fake_broker import FakeBroker
from tests.simulation.fake_clients import FakeClients, Faults, Link
from tests.simulation.kept_stores import KeptStores
from tests.simulation.virtual_time import Process, World, pause

SETTINGS = EngineSettings(
    app_id="app",
    batch_records_max=6,
    pending_records_max=8,
    linger_ms=2,
    catch_up_linger_ms=5,
    timer_interval_ms=20,
)
MARKERS_OFTEN = replace(SETTINGS, markers_every_s=0.05)
NAME = "traced"
CHANGELOG = TopicPartition(changelog_topic(SETTINGS.app_id, NAME), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the workers of a schedule do."""

    inputs: tuple[str, ...]
    reducer: Callable[[Random, Process], Reducer[Any]]
    state_format: StateFormat
    ledger: Callable[..., Ledger[Any]] = KafkaLedger
    holes: frozenset[str] = frozenset()
    timers: bool = False
    quarantines: bool = False
    patient: bool = False
    settings: EngineSettings = SETTINGS

    @property
    def partitions(self) -> list[TopicPartition]:
        return [TopicPartition(topic, 0) for topic in self.inputs]


class Worker:
    """A member of the group; `machine` keeps files over the ends of its processes."""

    def __init__(
        self,
        world: World,
        broker: FakeBroker,
        job: Job,
        *,
        faults: Faults,
        machine: KeptStores | None = None,
    ) -> None:
        self.process: Process = world.process()
        self.faults = faults
        self.machine = machine
        self.contested = False
        self._world = world
        self._job = job
        chance = world.chance
        link = Link(broker=broker, chance=chance, alive=lambda: self.process.alive, faults=faults)
        clients: Any = FakeClients(link, job.settings.app_id)
        self.consumer = clients.member(None)
        stores: StateStores = MemoryStores() if machine is None else machine
        self._ledgers = KafkaLedgers(
            clients=clients,
            settings=job.settings,
            stores=stores,
            changelog_ids={CHANGELOG.topic: "one"},
            clock_ms=world.clock_ms,
        )
        self._task_set = TaskSet(
            (self._definition(),),
            job.settings,
            consumer=self.consumer,
            stores=stores,
            deliver=self._deliver,
            clock_ms=world.clock_ms,
        )
        self._listener = RebalanceListener(self._task_set, self._announce)
        self._assigned: asyncio.Task[None]

    @property
    def tasks(self) -> Sequence[Task]:
        return self._task_set.tasks

    @property
    def alive(self) -> bool:
        return self.process.alive

    def own(self) -> None:
        """Be assigned the partitions."""
        self.consumer.assign(self._job.partitions)
        self._assigned = self.process.create_task(
            self._listener.on_partitions_assigned(self._job.partitions)
        )

    def leave(self) -> asyncio.Task[None]:
        """Have the partitions revoked; return what ends when the worker has let go."""
        return self.process.create_task(self._let_go())

    def _definition(self) -> TaskDefinition:
        job = self._job
        return TaskDefinition(
            name=NAME,
            inputs=job.inputs,
            holes=job.holes,
            reducer=lambda _: job.reducer(self._world.chance, self.process),
            ledger=lambda partition: job.ledger(
                self._ledgers, task_name=NAME, partition=partition, state_format=job.state_format
            ),
            timers=job.timers,
            quarantines=job.quarantines,
            patient=job.patient,
        )

    async def _let_go(self) -> None:
        await asyncio.wait([self._assigned])  # a rebalance begins after the one before
        await self._listener.on_partitions_revoked(self._job.partitions)

    async def _announce(self, assigned: set[TopicPartition]) -> None:
        await asyncio.sleep(0)

    async def _deliver(self, topic: str, partition: int, batch: Batch) -> None:
        self.process.create_task(self._agent(batch))

    async def _agent(self, batch: Batch) -> None:
        if self._world.chance.random() < 0.2:
            await pause(self._world.chance)
        batch.fold()
