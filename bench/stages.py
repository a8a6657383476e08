"""What can be measured, stage by stage; each has servers of its own and gives plain figures."""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.answers import WrongAnswer
from bench.cores import Cores
from bench.engines.catalogue import engines
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.figures import spread, throughput_figures
from bench.inputs import Inputs, Progress, live_inputs, load
from bench.latency import Rates, measure_latency
from bench.rounds import Plan, run_rounds
from bench.servers import servers
from bench.sink_speed import measure_sink
from bench.state_size import Crowded, measure_states
from bench.throughput import measure
from bench.workload import Crowd, Workload
from leadvelocity.settings import Settings

DAY_MS = 86_400_000
LEADS = 100_000
"""There may be, unless it is their number that is measured."""

Figures = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Bench:
    """All stages.

    Parameters
    ----------
    directory : Path
        For servers, logs, classes and environments.

    Attributes
    ----------
    failures : list of str
        What did not work; the rest goes on.
    """

    directory: Path
    progress: Progress
    pinned: Cores = field(default_factory=Cores.pinned)
    one: Cores = field(default_factory=Cores.one)
    shared: Cores = field(default_factory=Cores.shared)
    failures: list[str] = field(default_factory=list)

    def throughput(
        self,
        keys: Sequence[str],
        *,
        events: int,
        few_events: int,
        rounds: int,
        until_s: float,
        shared: bool = False,
    ) -> Figures:
        """Run engines alternately over preloaded topics."""
        with self._servers() as settings:
            plan = Plan(
                rounds_max=rounds,
                until_s=until_s,
                inputs=self._loaded(settings, events, prefix=""),
                few=self._loaded(settings, few_events, prefix="few-"),
                cores=self.shared if shared else self.pinned,
                folder=_runs(settings),
            )
            records = run_rounds(self._engines(keys), plan, settings, self.progress)
        self.failures += [each for record in records.values() for each in record.failures]
        return throughput_figures(records)

    def latency(self, rates: Mapping[str, Sequence[float]], *, seconds: float) -> Figures:
        """Send events to each engine at its rates, one after the other."""
        figures: Figures = {}
        with self._servers() as settings:
            for engine in self._engines(list(rates)):
                run = replace(self._run(engine, settings, live_inputs(), "latency"), bounded=False)
                wanted = Rates(rates=tuple(rates[engine.key]), seconds=seconds, leads=LEADS)
                with self._noting_failures():
                    measured = measure_latency(engine, run, wanted, self.pinned, self.progress)
                    figures[engine.key] = {
                        "title": engine.title,
                        "rates": [asdict(each) for each in measured],
                    }
        return {"latency": figures}

    def state(self, crowds: Sequence[int], *, further: int) -> Figures:
        """Give our worker many leads; see what they cost, and how soon it is back."""
        with ExitStack() as running, self._noting_failures():
            crowded = [
                self._crowded(leads, further, running) for leads in sorted(crowds, reverse=True)
            ]
            self.progress("the workers fold their crowds, then take turns; that takes minutes")
            sizes = measure_states(crowded)
            return {"state": [asdict(each) for each in reversed(sizes)]}
        return {}

    def workers(self, *, events: int, rounds: int) -> Figures:
        """Compare a worker and the servers on one core with two workers and them on all."""
        speeds: dict[int, list[float]] = {1: [], 2: []}
        with self._servers() as settings:
            inputs = self._loaded(settings, events, prefix="")
            [engine] = self._engines(["ours_exactly_once"])
            for number in range(rounds):
                for count, cores in (1, self.one), (2, self.shared):
                    run = self._run(engine, settings, inputs, f"{count}-workers-{number}")
                    with self._noting_failures():
                        measured = measure(engine, run, cores, workers=count)
                        speeds[count].append(measured.middle_events_per_s)
                        self.progress(
                            f"{count} workers: {measured.middle_events_per_s:,.0f} events/s"
                        )
        return {"workers": {str(key): spread(each) for key, each in speeds.items() if each}}

    def sink(self, *, events: int) -> Figures:
        """Let the sink store what the whole product wrote."""
        with self._servers() as settings, self._noting_failures():
            inputs = self._loaded(settings, events, prefix="")
            [engine] = self._engines(["ours_whole_product"])
            run = self._run(engine, settings, inputs, "sink")
            speed = measure_sink(engine, run, self.pinned)
            self.progress(f"the sink stores {speed.rows_per_s:,.0f} rows/s")
            return {"clickhouse_rows_per_s": round(speed.rows_per_s), "sink": asdict(speed)}
        return {}

    @contextmanager
    def _servers(self) -> Iterator[Settings]:
        with servers(self.directory, self.progress) as settings:
            yield settings

    @contextmanager
    def _noting_failures(self) -> Iterator[None]:
        try:
            yield
        except (BenchFailed, WrongAnswer) as error:
            self.failures.append(str(error))
            self.progress(str(error))

    def _engines(self, keys: Sequence[str]) -> list[Engine]:
        folder = self.directory.absolute() / "classes"
        return engines(keys, folder=folder, progress=self.progress)

    def _loaded(self, settings: Settings, events: int, *, prefix: str) -> Inputs:
        workload = Workload(events=events, leads=LEADS, begins_at_ms=yesterday_ms())
        return load(settings, workload, self.progress, prefix=prefix)

    def _crowded(self, leads: int, further: int, running: ExitStack) -> Crowded:
        """Load a crowd into servers of its own: workers of one broker would share its topics."""
        directory = self.directory / f"{leads}-leads"
        running.callback(shutil.rmtree, directory, ignore_errors=True)
        settings = running.enter_context(servers(directory, self.progress))
        crowd = Crowd(leads=leads, further=further, begins_at_ms=yesterday_ms())
        [engine] = self._engines(["ours_exactly_once"])
        inputs = load(settings, crowd, self.progress, checked=False)
        run = self._run(engine, settings, inputs, "state")
        return Crowded(engine=engine, run=run, crowd=crowd, cores=self.pinned)

    def _run(self, engine: Engine, settings: Settings, inputs: Inputs, name: str) -> Run:
        name = f"{engine.key.replace('_', '-')}-{name}"
        return Run(name=name, settings=settings, inputs=inputs, folder=_runs(settings) / name)


def _runs(settings: Settings) -> Path:
    return settings.directory / "runs"


def yesterday_ms() -> int:
    """Return the begin of yesterday: no event is of the future, and none has cooled since."""
    return (time.time_ns() // 1_000_000 // DAY_MS - 1) * DAY_MS
