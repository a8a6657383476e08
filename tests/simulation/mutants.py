"""Mistakes planted on purpose; each is an engine that looks right as long as nothing happens."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition

from agents.records import Output
from agents.reducer import Effects
from agents.state import State
from streams.changelog import POSITIONS_KEY, positions_value
from streams.committer import Committer
from streams.kafka_ledger import KafkaLedger
from streams.ledger import Positions
from streams.task import Task
from tests.simulation.parts import Parts


class PositionsLater(Committer):
    """Positions move one turn of the loop after the fold."""

    def folded(self, positions: Positions, records: int) -> None:
        super().folded({}, records)
        asyncio.get_running_loop().call_soon(self._positions.update, positions)


class SurvivesItsCancel(Task):
    """A reader that meets its cancel goes on, as asyncio.wait_for lets it on Python 3.11."""

    @property
    def alive(self) -> bool:
        return True

    async def _read_loop(self) -> None:
        try:
            await super()._read_loop()
        except asyncio.CancelledError:
            await super()._read_loop()


class OutputsBeforeChangelog(KafkaLedger):
    """Outputs in a transaction of their own, then the changelog with the positions."""

    async def commit(self, effects: Effects, positions: Positions) -> None:
        outputs: defaultdict[TopicPartition, list[Output]] = defaultdict(list)
        for output in effects.outputs:
            outputs[TopicPartition(output.topic, self._partition)].append(output)
        await self._writer.commit(outputs, {})
        await super().commit(Effects(state=effects.state), positions)


class OffsetsBeforeChangelog(KafkaLedger):
    """The group's offsets in a transaction of their own, from which the next owner goes on."""

    async def open(self) -> tuple[Positions, State]:
        positions, state = await super().open()
        return await group_positions(self) or positions, state

    async def commit(self, effects: Effects, positions: Positions) -> None:
        offsets = {TopicPartition(each, self._partition): to for each, to in positions.items()}
        await self._writer.commit({}, offsets)
        await super().commit(effects, positions)


class PositionsOfTheGroup(KafkaLedger):
    """Goes on from the group's offsets, which are kept for some days only."""

    async def open(self) -> tuple[Positions, State]:
        _, state = await super().open()
        return await group_positions(self), state


class NoReEmit(Committer):
    """Outputs of a commit that failed are left out, and the task goes on."""

    async def _write(self, effects: Any, positions: Positions) -> None:
        try:
            await super()._write(effects, positions)
        except Exception:
            await self._ledger.close()
            await self._ledger.open()


class RestoreBeforeFencing(KafkaLedger):
    """Reads the changelog while the owner before may still write to it."""

    async def open(self) -> tuple[Positions, State]:
        topic = self._changelog_partition.topic
        store = self._shared.stores.open(
            self._name, self._format, changelog_id=self._shared.changelog_ids[topic]
        )
        self._store = store
        positions = await self._changelog.restore(store)
        await self._writer.start()
        return positions, store


class CopyFirst(KafkaLedger):
    """The local copy takes the changes before Kafka has them."""

    async def commit(self, effects: Effects, positions: Positions) -> None:
        assert self._store is not None
        entries: Mapping[bytes, bytes | None] = {
            **effects.state,
            POSITIONS_KEY: positions_value(positions),
        }
        self._store.apply(entries, offset=self._store.offset)
        await super().commit(effects, positions)


class CopyNotCaughtUp(KafkaLedger):
    """A copy that is still there is taken as it is, without what others wrote meanwhile."""

    async def open(self) -> tuple[Positions, State]:
        topic = self._changelog_partition.topic
        store = self._shared.stores.open(
            self._name, self._format, changelog_id=self._shared.changelog_ids[topic]
        )
        if not store.offset:
            return await super().open()
        await self._writer.start()
        self._store = store
        return self._changelog._positions_in(store), store


async def group_positions(ledger: KafkaLedger) -> dict[str, int]:
    """Return what the group has committed, as a member asks for it."""
    member: Any = ledger._shared.clients.member(None)
    topics = ("a", "b", "c")
    found = {topic: await member.committed(TopicPartition(topic, 0)) for topic in topics}
    return {topic: offset for topic, offset in found.items() if offset is not None}


DOUBLED = r"lost \[\], doubled or strange \[b"
LOST = r"lost \[b"
ENDED = "ended for no reason: "

MUTANTS = {
    ("positions one turn after the fold", DOUBLED): Parts(committer=PositionsLater),
    ("a reader that survives its cancel", ENDED + ".* does not stop"): Parts(
        task=SurvivesItsCancel
    ),
    ("outputs before the changelog", DOUBLED): Parts(ledger=OutputsBeforeChangelog),
    ("offsets before the changelog", LOST): Parts(ledger=OffsetsBeforeChangelog),
    ("positions of the group", DOUBLED): Parts(ledger=PositionsOfTheGroup),
    ("no re-emit after a failed commit", LOST): Parts(committer=NoReEmit),
    ("restore before fencing", f"{DOUBLED}|{ENDED}.*ChangelogLost"): Parts(
        ledger=RestoreBeforeFencing
    ),
    ("local copy before Kafka", LOST): Parts(ledger=CopyFirst),
    ("local copy not caught up", f"{DOUBLED}|{ENDED}.*ChangelogLost"): Parts(
        ledger=CopyNotCaughtUp
    ),
}
"""By what is wrong, and how that shows."""
