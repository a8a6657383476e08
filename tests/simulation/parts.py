"""The engine's parts that a schedule runs, so that a mutant can take the place of one."""

from dataclasses import dataclass

from streams.committer import Committer
from streams.kafka_ledger import KafkaLedger
from streams.source import Source
from streams.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The real ones, if not said otherwise."""

    task: type[Task] = Task
    committer: type[Committer] = Committer
    source: type[Source] = Source
    ledger: type[KafkaLedger] = KafkaLedger
    quarantines: bool = True


REAL = Parts()
