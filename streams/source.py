"""Reads the inputs of one task: guards against holes and merges by event time."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.records import Record
from agents.reducer import Arrival
from scoring.merge import Merge
from streams.exits import ChangelogLost, OffsetRewind, PositionLost

logger = logging.getLogger(__name__)


class Source:
    """The merged stream of a task's inputs.

    Parameters
    ----------
    consumer : AIOKafkaConsumer
        Of `KafkaClients`; shared by the tasks of a worker; only this task's partitions are read.
    partitions : sequence of TopicPartition
        The inputs, in the order of the merge.
    read : callable
        Makes arrivals of records of one input, all of them, in their order.
    holes : frozenset of str
        Topics whose offsets may have holes; a hole in another is read again before it is believed.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        partitions: Sequence[TopicPartition],
        read: Callable[[Sequence[Record]], Awaitable[Sequence[Arrival]]],
        *,
        holes: frozenset[str],
        batch_records_max: int,
    ) -> None:
        self._consumer = consumer
        self._partitions = tuple(partitions)
        self._index = {partition: index for index, partition in enumerate(self._partitions)}
        self._read = read
        self._holes = holes
        self.batch_records_max = batch_records_max
        self._expected: dict[TopicPartition, int] = {}
        self._seen_hole: dict[TopicPartition, int] = {}
        self._at_end = [False] * len(self._partitions)
        self._unread = [0] * len(self._partitions)
        self._merge: Merge[Arrival] = Merge(len(self._partitions))

    async def seek(self, positions: Mapping[str, int]) -> dict[str, int]:
        """Go to `positions`, and to the beginning of inputs without one; return where it stands.

        Raises
        ------
        PositionLost
            The topic no longer has what was not folded yet, or never had what was.
        ChangelogLost
            The positions themselves are older than what was committed.
        """
        begins = await self._consumer.beginning_offsets(self._partitions)
        ends = await self._consumer.end_offsets(self._partitions)
        for partition in self._partitions:
            position = positions.get(partition.topic, begins[partition])
            await self._require(partition, position)
            await self._compare(partition, positions.get(partition.topic, 0), ends[partition])
            self._expected[partition] = position
            self._consumer.seek(partition, position)
        return {partition.topic: self._expected[partition] for partition in self._partitions}

    async def behind(self) -> bool:
        """Ask the broker whether the inputs hold records that were not handed out."""
        ends = await self._consumer.end_offsets(self._partitions)
        for partition, end in ends.items():
            # The position also passes markers of transactions, which are no records.
            if await self._consumer.position(partition) < end:
                return True
        return len(self._merge) > 0

    @property
    def drained(self) -> bool:
        """Whether all that the inputs hold at present has been handed out."""
        return all(self._at_end) and not len(self._merge)

    @property
    def backlog(self) -> int:
        """How many records wait to be handed out, as far as the last fetches told."""
        return sum(self._unread) + len(self._merge)

    async def pass_markers(self) -> dict[str, int]:
        """Return where drained inputs stand, past the markers after their last record.

        Markers age as records do: a position before them would look lost to retention one day.
        """
        for partition in self._partitions:
            self._expected[partition] = await self._consumer.position(partition)
        return {partition.topic: self._expected[partition] for partition in self._partitions}

    async def poll(self, timeout_ms: int) -> list[Arrival]:
        """Return the next batch in merged order; empty when there is none within `timeout_ms`."""
        batch = self._merge.pop(self._at_end, self.batch_records_max)
        hungry = [
            partition
            for index, partition in enumerate(self._partitions)
            if self._merge.waiting(index) < self.batch_records_max
        ]
        if hungry:
            await self._fetch(hungry, timeout_ms=0 if batch else timeout_ms)
        return batch or self._merge.pop(self._at_end, self.batch_records_max)

    async def _fetch(self, hungry: list[TopicPartition], *, timeout_ms: int) -> None:
        fetched = await self._consumer.getmany(
            *hungry, timeout_ms=timeout_ms, max_records=self.batch_records_max
        )
        for partition, found in fetched.items():
            if records := await self._guarded(partition, found):
                self._merge.add(self._index[partition], await self._read(records))
        for partition in hungry:
            index = self._index[partition]
            stable_end = self._consumer.last_stable_offset(partition)
            position = await self._consumer.position(partition)
            self._at_end[index] = stable_end is not None and position >= stable_end
            self._unread[index] = max(0, (stable_end or 0) - position)

    async def _guarded(self, partition: TopicPartition, records: list[Record]) -> list[Record]:
        """Return `records` up to a hole, which is read once more before it is believed.

        Markers and aborted records of a sender's transactions leave honest holes.
        """
        expected = self._expected[partition]
        if records[0].offset < expected:
            raise OffsetRewind(f"{partition}: expected {expected}, got {records[0].offset}")
        whole = records[-1].offset == expected + len(records) - 1
        if not whole and partition.topic not in self._holes:
            for index, record in enumerate(records):
                if record.offset != expected and self._seen_hole.get(partition) == record.offset:
                    await self._require(partition, expected)
                elif record.offset != expected:
                    logger.info("%s: reading the hole before %d again", partition, record.offset)
                    self._seen_hole[partition] = record.offset
                    self._consumer.seek(partition, expected)
                    records = records[:index]
                    break
                expected = record.offset + 1
        if records:
            self._expected[partition] = records[-1].offset + 1
        return records

    async def _require(self, partition: TopicPartition, position: int) -> None:
        """Raise PositionLost unless the broker still keeps `position`."""
        begin = (await self._consumer.beginning_offsets([partition]))[partition]
        if position < begin:
            raise PositionLost(
                f"{partition.topic}-{partition.partition}: next to fold is {position}, but the "
                f"broker has nothing before {begin}: events were lost to retention; raise the "
                "topic's retention before you start this group anew"
            )

    async def _compare(self, partition: TopicPartition, position: int, end: int) -> None:
        """Hold the position against the topic, and against the group's own offset.

        The group's offset is committed in the same transaction as the position, so it can only
        be ahead where the records that held the position are gone.
        """
        where = f"{partition.topic}-{partition.partition}"
        if position > end:
            raise PositionLost(
                f"{where}: next to fold is {position}, but the topic ends at {end}: it was made "
                "anew, or cut; start under a new LEADVELOCITY_ENGINE__APP_ID, or bring it back"
            )
        committed = await self._consumer.committed(partition)
        if committed is not None and committed > position:
            raise ChangelogLost(
                f"{where}: the changelog says {position}, but the group has committed {committed} "
                "together with it: the changelog was emptied or cut, and states with it; bring it "
                "back, or start under a new LEADVELOCITY_ENGINE__APP_ID to fold the topics anew"
            )
