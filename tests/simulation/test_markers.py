"""Markers of transactions take offsets, and age as records do."""

from contextlib import closing
from dataclasses import replace
from random import Random

import msgspec
import pytest
from aiokafka import TopicPartition

from streams.changelog import POSITIONS_KEY
from streams.settings import EngineSettings
from tests.simulation import oracle
from tests.simulation.schedules import Schedule
from tests.simulation.traces import INPUTS, SENT_IN_TRANSACTIONS, a_job, send
from tests.simulation.worker import MARKERS_OFTEN, SETTINGS

STEPS = 6_000


def committed_beyond_records(settings: EngineSettings, *, seed: int) -> int:
    """Return how far an idle task's position lies behind the end of an input with markers."""
    job = replace(a_job(len(INPUTS)), settings=settings)
    schedule = Schedule(job=job, chance=Random(seed), kept=False, before=0, after=0)
    with closing(schedule.world):
        send(schedule, records=9)
        schedule.hand_over()
        schedule.run(STEPS)
        entries = oracle.restored(schedule.world, schedule.broker, schedule.job.state_format)
    positions = msgspec.json.decode(entries[POSITIONS_KEY], type=dict[str, int])
    log = schedule.broker.logs[TopicPartition(SENT_IN_TRANSACTIONS, 0)]
    return log.stable_end - positions[SENT_IN_TRANSACTIONS]


@pytest.mark.parametrize("seed", range(5))
def test_an_idle_task_passes_the_markers_behind_the_last_record(seed) -> None:
    """
    Positions move on to the very end of an idle input, so that retention never overtakes them.
    """
    assert committed_beyond_records(SETTINGS, seed=seed) > 0
    assert committed_beyond_records(MARKERS_OFTEN, seed=seed) == 0
