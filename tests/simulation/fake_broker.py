"""A broker with a memory: partitions, transactions, fencing, group offsets; held to the real one.

All of it is synchronous and happens at once; what lies between a client and it is elsewhere
(`fake_clients`). After a commit the markers reach the partitions one by one, as with the real one.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from aiokafka import TopicPartition
from aiokafka.errors import InvalidTxnState, MessageSizeTooLargeError, ProducerFenced

Headers = tuple[tuple[str, bytes], ...]
GroupPartition = tuple[str, TopicPartition]


@dataclass(eq=False, slots=True)
class Transaction:
    """What one producer does as one."""

    partitions: list[TopicPartition] = field(default_factory=list)
    offsets: dict[GroupPartition, int] = field(default_factory=dict)
    committed: bool | None = None


@dataclass(slots=True, kw_only=True)
class Entry:
    """What takes an offset: a record, or the marker that ends a transaction."""

    offset: int
    timestamp_ms: int
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()
    transaction: Transaction | None = None
    marker: bool = False

    @property
    def visible(self) -> bool:
        """Whether a reader of committed records gets it, below the last stable offset."""
        return not self.marker and (self.transaction is None or bool(self.transaction.committed))


@dataclass(slots=True)
class PartitionLog:
    """One partition."""

    begin: int = 0
    end: int = 0
    entries: list[Entry] = field(default_factory=list)
    unmarked: dict[Transaction, int] = field(default_factory=dict)

    @property
    def stable_end(self) -> int:
        """Up to where no transaction is open."""
        return min(self.unmarked.values(), default=self.end)

    def append(
        self,
        records: Iterable[tuple[bytes | None, bytes | None, Headers]],
        timestamp_ms: int,
        transaction: Transaction | None = None,
    ) -> int:
        """Append records; return the first one's offset."""
        first = self.end
        for key, value, headers in records:
            entry = Entry(offset=self.end, timestamp_ms=timestamp_ms, key=key, value=value)
            entry.headers, entry.transaction = headers, transaction
            self.entries.append(entry)
            self.end += 1
        if transaction is not None:
            self.unmarked.setdefault(transaction, first)
        return first

    def mark(self, transaction: Transaction, timestamp_ms: int) -> None:
        """Append the marker of a transaction that is decided."""
        self.unmarked.pop(transaction)
        self.entries.append(Entry(offset=self.end, timestamp_ms=timestamp_ms, marker=True))
        self.end += 1

    def read(self, position: int, *, upto: int, records_max: int) -> tuple[list[Entry], int]:
        """Return visible records from a position, and the position after them."""
        found: list[Entry] = []
        start = bisect_left(self.entries, position, key=lambda each: each.offset)
        for entry in self.entries[start:]:
            if entry.offset >= upto:
                break
            if entry.visible:
                found.append(entry)
                if len(found) == records_max:
                    return found, entry.offset + 1
        return found, max(position, upto)

    def compact(self) -> None:
        """Drop what a later record of the same key replaces, and aborted records."""
        stable_end, latest = self.stable_end, {}
        for entry in self.entries:
            if entry.visible and entry.offset < stable_end:
                latest[entry.key] = entry.offset
        self.entries = [
            entry
            for entry in self.entries
            if entry.offset >= stable_end - 1 or latest.get(entry.key, -1) == entry.offset
        ]

    def delete_before(self, offset: int) -> None:
        """Delete records, as retention does."""
        self.begin = max(self.begin, offset)
        self.entries = [each for each in self.entries if each.offset >= self.begin]


class FakeBroker:
    """Partitions, transactions and group offsets.

    Parameters
    ----------
    chance : Random or None
        By which markers come late; None: they come at once.
    clock_ms : callable
        The broker's own clock.
    """

    def __init__(self, chance: Random | None, clock_ms: Callable[[], int]) -> None:
        self.logs: defaultdict[TopicPartition, PartitionLog] = defaultdict(PartitionLog)
        self.record_bytes_max: dict[str, int] = {}
        self.group_offsets: dict[GroupPartition, int] = {}
        self.clock_ms = clock_ms
        self._chance = chance
        self._epochs: dict[str, int] = {}
        self._open: dict[str, Transaction] = {}
        self._unmarked: dict[str, tuple[Transaction, list[TopicPartition | None]]] = {}

    def init_producer(self, transactional_id: str) -> int:
        """Fence the producer before, abort what it left open; return the new epoch."""
        if transactional_id in self._open:
            self._decide(transactional_id, committed=False)
        self._settle(transactional_id)
        self._epochs[transactional_id] = self._epochs.get(transactional_id, -1) + 1
        return self._epochs[transactional_id]

    def append(
        self,
        transactional_id: str,
        epoch: int,
        partition: TopicPartition,
        records: Sequence[tuple[bytes | None, bytes | None, Headers]],
    ) -> tuple[int, int]:
        """Append a batch within a transaction; return its first offset and its time."""
        transaction = self._transaction(transactional_id, epoch)
        bytes_max = self.record_bytes_max.get(partition.topic, 1 << 20)
        if any(len(value or b"") > bytes_max for _, value, _ in records):
            raise MessageSizeTooLargeError(partition)
        now_ms = self.clock_ms()
        if partition not in transaction.partitions:
            transaction.partitions.append(partition)
        return self.logs[partition].append(records, now_ms, transaction), now_ms

    def add_offsets(
        self, transactional_id: str, epoch: int, group_id: str, offsets: dict[TopicPartition, int]
    ) -> None:
        """Add a group's offsets to a transaction."""
        transaction = self._transaction(transactional_id, epoch)
        transaction.offsets.update({(group_id, each): to for each, to in offsets.items()})

    def end(self, transactional_id: str, epoch: int, *, committed: bool) -> None:
        """Commit or abort."""
        self._check(transactional_id, epoch)
        if transactional_id not in self._open:
            raise InvalidTxnState(transactional_id)
        self._decide(transactional_id, committed=committed)
        self.tick()

    def tick(self) -> None:
        """Let markers arrive, as far as chance has it."""
        for transactional_id, (_, left) in tuple(self._unmarked.items()):
            if self._chance is None:
                self._settle(transactional_id)
                continue
            for place in tuple(left):
                if self._chance.random() < 0.5:
                    self._mark(transactional_id, place)

    def settle(self) -> None:
        """Let all markers arrive."""
        for transactional_id in tuple(self._unmarked):
            self._settle(transactional_id)

    def expire_offsets(self) -> None:
        """Forget the group's offsets, as the real one does after some days without members."""
        self.group_offsets.clear()

    def _check(self, transactional_id: str, epoch: int) -> None:
        if self._epochs[transactional_id] != epoch:
            raise ProducerFenced

    def _transaction(self, transactional_id: str, epoch: int) -> Transaction:
        self._check(transactional_id, epoch)
        self._settle(transactional_id)  # a client tries again until the last one is through
        return self._open.setdefault(transactional_id, Transaction())

    def _decide(self, transactional_id: str, *, committed: bool) -> None:
        transaction = self._open.pop(transactional_id)
        transaction.committed = committed
        places: list[TopicPartition | None] = [*transaction.partitions]
        if transaction.offsets:
            places.append(None)
        if places:
            self._unmarked[transactional_id] = (transaction, places)

    def _settle(self, transactional_id: str) -> None:
        if transactional_id in self._unmarked:
            for place in tuple(self._unmarked[transactional_id][1]):
                self._mark(transactional_id, place)

    def _mark(self, transactional_id: str, place: TopicPartition | None) -> None:
        transaction, left = self._unmarked[transactional_id]
        left.remove(place)
        if not left:
            del self._unmarked[transactional_id]
        if place is not None:
            self.logs[place].mark(transaction, self.clock_ms())
        elif transaction.committed:
            self.group_offsets.update(transaction.offsets)
