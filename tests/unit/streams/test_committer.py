"""When a task commits, on virtual time: soon where little waits, seldom where transactions cost."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, repeat
from typing import Any

import pytest

from agents.reducer import Effects
from streams.committer import PERIOD_PER_COMMIT, Committer
from streams.settings import EngineSettings
from tests.simulation.virtual_time import World

LINGER_S, CATCH_UP_LINGER_S = 0.010, 0.500
EVENTS_A_SECOND = 200
SLACK_S = 1 / EVENTS_A_SECOND + 0.002
SETTINGS = EngineSettings(linger_ms=10, catch_up_linger_ms=500, pending_records_max=1_000)


class Reducer:
    """Has nothing to say of what it folds."""

    def take(self) -> Effects:
        return Effects()


class Broker:
    """Takes as long for each transaction as it is told; notes when each began."""

    def __init__(self, took_s: Iterator[float]) -> None:
        self.began_s: list[float] = []
        self._took_s = took_s

    async def commit(self, effects: Effects, positions: object) -> None:
        self.began_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(next(self._took_s))


@pytest.fixture
def world():
    made = World(random.Random(0))
    yield made
    made.close()


def periods(world: World, took_s: Sequence[float], *, behind: bool = False) -> list[float]:
    """Fold events for two seconds; return the times between the starts of transactions."""
    broker: Any = Broker(chain(took_s, repeat(took_s[-1])))
    reducer: Any = Reducer()
    committer = Committer(
        reducer, broker, SETTINGS, linger_ms=10, behind=lambda: behind, commit_s_max=None
    )
    process = world.process()

    async def fold() -> None:
        for offset in range(2 * EVENTS_A_SECOND):
            committer.folded({"visits": offset + 1}, 1)
            await asyncio.sleep(1 / EVENTS_A_SECOND)

    process.create_task(committer.run())
    world.complete(process, fold())
    assert committer.positions == {"visits": 2 * EVENTS_A_SECOND}
    return [after - before for before, after in pairwise(broker.began_s)]


def test_quick_transactions_follow_each_other_soon(world) -> None:
    """Where transactions cost little, what is folded waits no longer than the linger."""
    assert max(periods(world, [0.001])) <= LINGER_S + SLACK_S


def test_transactions_take_a_share_of_the_time(world) -> None:
    """Slow transactions are the more seldom, so that many tasks do not wait for each other."""
    [*steady] = periods(world, [0.040])[2:]
    assert min(steady) >= PERIOD_PER_COMMIT * 0.040
    assert max(steady) <= PERIOD_PER_COMMIT * 0.040 + SLACK_S


def test_one_slow_transaction_does_not_hold_up_the_next(world) -> None:
    """A hiccup of the broker is not paid for twice."""
    _, slow, *after = periods(world, [0.010, 0.300, 0.010])
    assert slow <= 0.300 + SLACK_S
    assert max(after) <= PERIOD_PER_COMMIT * 0.010 + SLACK_S


def test_a_task_far_behind_commits_seldom(world) -> None:
    """Catching up, transactions are as large as the settings allow."""
    assert min(periods(world, [0.001], behind=True)[1:]) >= CATCH_UP_LINGER_S
