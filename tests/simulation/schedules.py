"""One schedule: a seed says what is sent, who owns the task when, who dies and what fails."""

from dataclasses import dataclass, field
from random import Random

from aiokafka import TopicPartition

from tests.simulation import oracle
from tests.simulation.fake_broker import FakeBroker
from tests.simulation.fake_clients import Faults
from tests.simulation.kept_stores import KeptStores
from tests.simulation.oracle import Broken
from tests.simulation.tracer import DEADLY
from tests.simulation.virtual_time import Stuck, World
from tests.simulation.worker import CHANGELOG, Job, Worker

CALM_STEPS_MAX = 60_000
SHUT_OUT_STEPS = 200
"""So long those who were shut out may go on once all is through; nobody may see it."""

LEADS = (b"ada", b"bo", b"cy")


@dataclass(slots=True, kw_only=True)
class Schedule:
    """A world with workers, and what is done to them.

    Parameters
    ----------
    job : Job
    kept : bool
        Whether local copies outlive processes.
    chance : Random
    """

    job: Job
    chance: Random
    kept: bool = False
    before: float = 0.0
    after: float = 0.0
    world: World = field(init=False)
    broker: FakeBroker = field(init=False)
    workers: list[Worker] = field(init=False, default_factory=list)
    machine: KeptStores = field(init=False, default_factory=KeptStores)
    owner: Worker = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.chance)
        self.broker = FakeBroker(self.chance, self.world.clock_ms)

    def send(self, topic: str, key: bytes, value: bytes = b"", *, at_ms: int) -> None:
        """Append one record to an input, with its event time for a timestamp."""
        self.broker.logs[TopicPartition(topic, 0)].append([(key, value, ())], at_ms)

    def hand_over(self, *, stays: Worker | None = None) -> None:
        """Give the task to a new worker, or to one that is there already."""
        if stays is None:
            faults = Faults(before=self.before, after=self.after)
            machine = self.machine if self.kept else None
            stays = Worker(self.world, self.broker, self.job, faults=faults, machine=machine)
            self.workers.append(stays)
        self.owner = stays
        stays.own()
        # Whoever asks Kafka last is the owner, so the new one may be shut out too.
        stays.contested = any(each.contested and each.alive for each in self.workers)

    def run(self, steps: int) -> None:
        """Go on for so many steps; an owner that ended by itself is replaced."""
        step = self.world.step
        for _ in range(steps):
            if not self.owner.process.alive:
                self.blame(self.owner)
                self.crashed()
                self.hand_over()
            step()

    def crashed(self) -> None:
        if self.kept:
            self.machine.crash(self.chance)

    def blame(self, worker: Worker) -> None:
        """A worker ends by itself only for a reason."""
        reason = worker.process.reason
        if reason.startswith(DEADLY):
            return
        if reason and not worker.faults.injected and not worker.contested:
            raise Broken(f"a worker ended for no reason: {reason}")

    def kill(self) -> None:
        self.owner.process.kill()
        self.crashed()
        self.hand_over()

    def leave(self) -> None:
        """Let the owner go politely, and come back at once or after another."""
        before = self.owner
        gone = before.leave()
        if not self.world.run(CALM_STEPS_MAX, until=lambda: gone.done() or not before.alive):
            raise Stuck("a worker never lets go")
        if before.alive and not self.kept and self.chance.random() < 0.3:
            self.hand_over(stays=before)
            return
        self.hand_over()
        if before.alive and not self.kept and self.chance.random() < 0.5:
            self.run(self.chance.randint(0, 250))
            if self.owner.alive:
                self.owner.process.kill()
            if before.alive:
                self.hand_over(stays=before)

    def usurp(self) -> None:
        """Give the task to another while the owner goes on, or sleeps and then goes on."""
        before = self.owner
        if self.chance.random() < 0.5:
            before.process.frozen_until_s = self.world.now_s + self.chance.random() * 0.3
        before.contested = True
        self.hand_over()

    def disturb(self) -> None:
        """Do what happens to workers and brokers."""
        kind = self.chance.random()
        if kind < 0.08:
            self.broker.logs[CHANGELOG].compact()
        if not self.owner.alive:
            return
        if kind < 0.45:
            self.kill()
        elif kind < 0.7:
            self.leave()
        elif kind < 0.93 and not self.kept:
            self.usurp()
        else:
            self.kill()
            self.broker.expire_offsets()

    def settle(self) -> None:
        """Let faults stop: all must get through, and whoever was shut out must end."""
        self.before = self.after = 0.0
        for worker in self.workers:
            worker.faults.stop()
            worker.process.frozen_until_s = 0.0
        for _ in range(CALM_STEPS_MAX // 20):
            self.run(20)
            if self.through():
                break
        else:
            raise Stuck("with no fault left the records never get through")
        if any(each.contested and each.alive for each in self.workers):
            self.run(SHUT_OUT_STEPS)
        self.broker.settle()
        for worker in self.workers:
            self.blame(worker)

    def through(self) -> bool:
        """Whether the owner has committed all that there is."""
        tasks = self.owner.tasks
        return bool(tasks) and all(
            each._committer.committed.get(topic, 0) > self.last_offset(topic)
            for each in tasks
            for topic in self.job.inputs
        )

    def last_offset(self, topic: str) -> int:
        return oracle.visible(self.broker, topic)[-1].offset
