"""The local state of a worker, filled and used as its scoring tasks do it, without Kafka."""

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random

from agents.decoded_states import DecodedStates
from agents.lead_scoring import STATE_FORMAT
from agents.lead_states import LeadStates
from schemas import lead_state
from scoring.state import LeadState
from streams.changelog import POSITIONS_KEY, EngineFormat
from streams.rocks_store import RocksStore, RocksStores
from streams.settings import EngineSettings

TASKS = 4
COMMIT_EVENTS = 2_000
SKEW = 1.1
"""Exponent of Zipf's law."""

SPREAD = 7_919
"""A prime: busy leads, and those that are written together, are spread over the keys."""

DAY_MS = 86_400_000


class Pattern(StrEnum):
    """Which leads events come from."""

    ZIPF = "zipf"
    UNIFORM = "uniform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Processor time of one event, microseconds.

    Parameters
    ----------
    get, encode, apply : float
        To read the state, to encode and to write it, in the thread that folds.
    all : float
        Everything, with RocksDB's own threads.
    """

    get: float
    encode: float
    apply: float
    all: float


class LeadCopies:
    """Copies of the states of `leads` leads on disk, in as many tasks as a topic has by default.

    Parameters
    ----------
    folder : Path
    leads : int
    states : list of LeadState
        What the leads' states are like.
    rng : Random
    """

    def __init__(self, folder: Path, *, leads: int, states: list[LeadState], rng: Random) -> None:
        self._folder = folder
        self._leads = leads
        self._states = states
        self._rng = rng
        self._engine = EngineSettings()
        self.stores = self._opened()

    def fill(self) -> float:
        """Write a state for each lead, in no order of theirs; return microseconds for each."""
        encoded = [lead_state.encode(each) for each in self._states]
        begun_s = time.process_time()
        per_task = self._leads // TASKS
        for first in range(0, per_task, COMMIT_EVENTS):
            for task, store in enumerate(self.stores):
                numbers = range(first, min(first + COMMIT_EVENTS, per_task))
                changes: dict[bytes, bytes | None] = {
                    self._key(task, number * SPREAD % per_task): self._rng.choice(encoded)
                    for number in numbers
                }
                changes[POSITIONS_KEY] = b"{}"
                store.apply(changes, offset=store.offset + len(changes))
        return (time.process_time() - begun_s) * 1e6 / self._leads

    def use(self, pattern: Pattern, events: int) -> Costs:
        """Read, change and commit the states of leads as events come."""
        settings = self._engine
        decoded = DecodedStates(settings.cached_leads_max)
        tasks = [LeadStates(store, decoded=decoded) for store in self.stores]
        self._run(tasks, pattern, events)  # until caches are as full as they get
        return self._run(tasks, pattern, events)

    def reopen(self) -> float:
        """Close and open everything; return the seconds until the first state is read."""
        self.close()
        begun_s = time.monotonic()
        self.stores = self._opened()
        for task, store in enumerate(self.stores):
            store.get(self._key(task, 0))
            store.next_due_ms(skip=())
        return time.monotonic() - begun_s

    def close(self) -> None:
        """Close all copies."""
        for store in self.stores:
            store.close()

    def disk_bytes(self) -> int:
        """Return how much the copies take on disk."""
        return sum(each.stat().st_size for each in self._folder.rglob("*") if each.is_file())

    def _opened(self) -> list[RocksStore]:
        stores = RocksStores(
            self._folder,
            memory_bytes_max=self._engine.store_memory_bytes_max,
            write_buffer_bytes_max=self._engine.store_write_buffer_bytes_max,
        )
        state_format = EngineFormat(STATE_FORMAT)
        return [
            stores.open(f"scoring-{task}", state_format, changelog_id="bench")
            for task in range(TASKS)
        ]

    def _run(self, tasks: list[LeadStates], pattern: Pattern, events: int) -> Costs:
        spent = {"get": 0.0, "encode": 0.0, "apply": 0.0}
        begun_s = time.process_time()
        for commit in range(events // COMMIT_EVENTS):
            keys = list(self._keys(pattern, commit % TASKS))
            self._commit(tasks[commit % TASKS], self.stores[commit % TASKS], keys, spent)
        everything = time.process_time() - begun_s
        per_event = {name: seconds * 1e6 / events for name, seconds in spent.items()}
        return Costs(**per_event, all=everything * 1e6 / events)

    def _commit(
        self, task: LeadStates, store: RocksStore, keys: list[bytes], spent: dict[str, float]
    ) -> None:
        begun_s = time.thread_time()
        for lead in task.load([key.decode() for key in keys]):
            state = lead.state
            assert state is not None, "all leads are there"
            task.put(lead, state.replace(as_of_ms=state.as_of_ms + 1, due_ms=self._due_ms(state)))
        read_s = time.thread_time()
        changes: dict[bytes, bytes | None] = {
            lead.key: lead_state.encode(lead.state) for lead in task.take() if lead.state
        }
        encoded_s = time.thread_time()
        changes[POSITIONS_KEY] = b"{}"
        store.apply(changes, offset=store.offset + len(changes))
        spent["get"] += read_s - begun_s
        spent["encode"] += encoded_s - read_s
        spent["apply"] += time.thread_time() - encoded_s

    def _due_ms(self, state: LeadState) -> int | None:
        """Move the time of a lead that is due now and then, as real ones do."""
        if state.due_ms is None or self._rng.random() < 0.9:  # noqa: PLR2004  # now and then
            return state.due_ms
        return state.due_ms + self._rng.randrange(DAY_MS)

    def _keys(self, pattern: Pattern, task: int) -> Iterator[bytes]:
        per_task = self._leads // TASKS
        for _ in range(COMMIT_EVENTS):
            if pattern is Pattern.UNIFORM:
                number = self._rng.randrange(per_task)
            else:
                number = _zipf(self._rng.random(), per_task) * SPREAD % per_task
            yield self._key(task, number)

    def _key(self, task: int, number: int) -> bytes:
        return b"lead-%d-%08d" % (task, number)


def peak_bytes() -> int:
    """Return the most memory that this process has had (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _zipf(share: float, count: int) -> int:
    """Return the rank below which `share` of the events come from, of `count` leads."""
    power = 1 - SKEW
    return int(((count + 1) ** power * share + 1 - share) ** (1 / power)) - 1
