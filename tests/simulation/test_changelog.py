"""What somebody else wrote to the changelog stops an owner, until it is replaced."""

from contextlib import closing
from random import Random

import pytest

from streams.changelog import POSITIONS_KEY, Changelog, EngineFormat
from streams.exits import CorruptChangelog
from tests.simulation.fake_broker import FakeBroker
from tests.simulation.fake_clients import FakeClients, Link
from tests.simulation.kept_stores import KeptStores
from tests.simulation.tracer import TraceFormat
from tests.simulation.virtual_time import World
from tests.simulation.worker import CHANGELOG, SETTINGS

NOISE = b"noise"
STARTS = 12


class Changelogged:
    """One changelog, and the folder of the machine whose workers read it."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.world = World(chance)
        self.broker = FakeBroker(None, self.world.clock_ms)
        self.log = self.broker.logs[CHANGELOG]
        self.machine = KeptStores()
        self.write(POSITIONS_KEY, b'{"in":1}')

    def close(self) -> None:
        self.world.close()

    def write(self, key: bytes, value: bytes | None) -> None:
        self.log.append([(key, value, ())], self.world.clock_ms())

    def restored(self, *, kept: bool) -> dict[bytes, bytes]:
        """Return the states that a new process begins with."""
        process = self.world.process()
        link = Link(broker=self.broker, chance=self.chance, alive=lambda: process.alive)
        changelog = Changelog(
            FakeClients(link, SETTINGS.app_id),
            topic=CHANGELOG.topic,
            partition=0,
            state_format=TraceFormat(),
            answer_s_max=60.0,
        )
        machine = self.machine if kept else KeptStores()
        store = machine.open("0", EngineFormat(TraceFormat()), changelog_id="one")
        self.world.complete(process, changelog.restore(store))
        return {key: value for key, value in store.items() if key != POSITIONS_KEY}


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("cure", [b"2:2", None])
def test_a_replaced_entry_is_as_if_it_never_was(kept, cure) -> None:
    """
    Once a good record or a tombstone replaces what nobody can read, the next owner starts; until
    then each refuses, also one whose local copy saw it before.
    """
    with closing(Changelogged(Random(1))) as changelog:
        changelog.write(b"ada", b"1:1")
        assert changelog.restored(kept=kept) == {b"ada": b"1:1"}
        changelog.write(b"ada", NOISE)
        changelog.write(b"bo", b"1:1")
        for _ in range(3):
            with pytest.raises(CorruptChangelog, match="offset 2"):
                changelog.restored(kept=kept)

        changelog.write(b"ada", cure)

        states = {b"ada": cure, b"bo": b"1:1"} if cure else {b"bo": b"1:1"}
        assert changelog.restored(kept=kept) == states
        assert changelog.restored(kept=kept) == states


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("kept", [False, True])
def test_the_last_entry_of_each_lead_decides(seed, kept) -> None:
    """
    However good and bad records, tombstones, compaction, starts and crashes follow each other, an
    owner begins with the last entries, or refuses because one of them cannot be read.
    """
    chance = Random(seed)
    last: dict[bytes, bytes | None] = {}
    with closing(Changelogged(chance)) as changelog:
        for _ in range(STARTS):
            for _ in range(chance.randint(0, 20)):
                key = chance.choice((b"ada", b"bo", b"cy"))
                last[key] = chance.choice((NOISE, None, b"1:%d" % chance.randint(0, 99)))
                changelog.write(key, last[key])
            if chance.random() < 0.2:
                changelog.log.compact()
            if chance.random() < 0.3:
                changelog.machine.crash(chance)
            if NOISE in last.values():
                with pytest.raises(CorruptChangelog):
                    changelog.restored(kept=kept)
            else:
                states = {key: value for key, value in last.items() if value is not None}
                assert changelog.restored(kept=kept) == states
