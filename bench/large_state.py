"""`python -m bench.large_state`: what states cost a worker, by the number of leads."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from agents.lead_scoring import STATE_FORMAT
from bench.__main__ import DIRECTORY, progress
from bench.changelog_load import fill_changelogs
from bench.lead_copies import LeadCopies, Pattern, peak_bytes
from bench.sample_states import sample_states
from bench.servers import servers
from leadvelocity.roles import spare_garbage_collection
from leadvelocity.scoring_model import load_model
from leadvelocity.settings import Settings
from schemas import lead_state
from scoring.state import LeadState
from streams.changelog import Changelog, EngineFormat
from streams.kafka_clients import AiokafkaClients
from streams.kafka_ledger import changelog_topic
from streams.memory_store import MemoryStores
from streams.rocks_store import RocksStores
from streams.state_store import StateStores

SAMPLES = 5_000
SEED = 20260111
COMMITS_BEFORE_KILL = 100
DUE_CALLS, DUE_KEYS = 100, 1_000

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

Leads = Annotated[int, typer.Option(help="Number of leads.")]


@app.command()
def store(
    *,
    leads: Leads = 1_000_000,
    events: Annotated[int, typer.Option(help="Events of each pattern.")] = 100_000,
    folder: Annotated[Path | None, typer.Option(help="Where states go; default: /tmp.")] = None,
) -> None:
    """Fill a worker's local state, use it, and open it again after a stop and after kill -9."""
    with tempfile.TemporaryDirectory(dir=folder) as path:
        copies = _copies(Path(path), leads)
        spare_garbage_collection()
        figures: dict[str, Any] = {"leads": leads, "fill_us_per_lead": copies.fill()}
        for pattern in Pattern:
            figures[pattern] = asdict(copies.use(pattern, events))
            figures[pattern]["peak_bytes"] = peak_bytes()
        figures["disk_bytes"] = copies.disk_bytes()
        figures["open_after_stop_s"] = copies.reopen()
        one = copies.stores[0]
        figures["next_due_us"] = _us(lambda: one.next_due_ms(skip=()), DUE_CALLS)
        figures["take_due_us_per_lead"] = (
            _us(lambda: one.take_due(skip=(), until_ms=1 << 50, entries_max=DUE_KEYS), 1) / DUE_KEYS
        )
        copies.close()
        _kill_amid_writing(Path(path), leads)
        copies = _copies(Path(path), leads)
        figures["open_after_kill_s"] = copies.reopen()
        copies.close()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


@app.command(hidden=True)
def write(folder: Path, leads: int) -> None:
    """Use the states in a folder until killed; say so for each commit's worth of events."""
    copies = _copies(folder, leads)
    while True:
        copies.use(Pattern.UNIFORM, 2_000)
        sys.stdout.write("committed\n")
        sys.stdout.flush()


@app.command()
def restore(*, leads: Leads = 1_000_000) -> None:
    """Read changelogs back from a broker, into each kind of store."""
    with servers(DIRECTORY, progress) as settings, tempfile.TemporaryDirectory() as folder:
        records = _filled(settings, leads)
        spare_garbage_collection()
        engine = settings.engine
        kinds: dict[str, StateStores] = {
            "memory": MemoryStores(),
            "rocksdb": RocksStores(
                Path(folder),
                memory_bytes_max=engine.store_memory_bytes_max,
                write_buffer_bytes_max=engine.store_write_buffer_bytes_max,
            ),
        }
        figures: dict[str, Any] = {"leads": leads}
        for kind, stores in kinds.items():
            figures[kind] = asyncio.run(_restored(settings, stores, records))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _filled(settings: Settings, leads: int) -> int:
    rng = Random(SEED)  # noqa: S311  # the same states every time
    encoded = [lead_state.encode(each) for each in _states(rng)]
    model = load_model(None)
    return fill_changelogs(
        settings, model, leads=leads, encoded=encoded, rng=rng, progress=progress
    )


async def _restored(settings: Settings, stores: StateStores, records: int) -> dict[str, float]:
    used_s, begun_s = time.process_time(), time.monotonic()
    await asyncio.gather(
        *(
            _restored_task(settings, stores, partition)
            for partition in range(settings.topics.partitions)
        )
    )
    took_s, used_s = time.monotonic() - begun_s, time.process_time() - used_s
    return {
        "seconds": took_s,
        "us_per_record": used_s * 1e6 / records,
        "records_per_processor_s": records / used_s,
        "peak_bytes": peak_bytes(),
    }


async def _restored_task(settings: Settings, stores: StateStores, partition: int) -> None:
    copy = stores.open(f"scoring-{partition}", EngineFormat(STATE_FORMAT), changelog_id="bench")
    changelog = Changelog(
        AiokafkaClients(settings.kafka.connection(), settings.engine),
        topic=changelog_topic(settings.engine.app_id, "scoring"),
        partition=partition,
        state_format=STATE_FORMAT,
        answer_s_max=settings.engine.commit_s_max,
    )
    await changelog.restore(copy)
    copy.close()


def _copies(folder: Path, leads: int) -> LeadCopies:
    rng = Random(SEED)  # noqa: S311  # the same states every time
    return LeadCopies(folder, leads=leads, states=_states(rng), rng=rng)


def _states(rng: Random) -> list[LeadState]:
    return sample_states(load_model(None), SAMPLES, rng)


def _kill_amid_writing(folder: Path, leads: int) -> None:
    arguments = [sys.executable, "-m", "bench.large_state", "write", str(folder), str(leads)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:  # noqa: S603  # ourselves
        assert writer.stdout is not None
        for _ in range(COMMITS_BEFORE_KILL):
            writer.stdout.readline()
        writer.kill()


def _us(call: Callable[[], object], times: int) -> float:
    begun_s = time.thread_time()
    for _ in range(times):
        call()
    return (time.thread_time() - begun_s) * 1e6 / times


if __name__ == "__main__":
    app()
