"""`python -m bench`: what `make bench` runs, and parts of it."""

import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cores import Cores
from bench.engines.catalogue import MAKERS, engines
from bench.engines.run import Engine, Run
from bench.errors import BenchFailed
from bench.figures import spread, throughput_figures
from bench.inputs import Inputs, live_inputs, load
from bench.latency import Rates, measure_latency
from bench.machine import machine, versions
from bench.rounds import Plan, run_rounds
from bench.servers import servers
from bench.sink_speed import measure_sink
from bench.state_size import measure_state
from bench.throughput import measure
from bench.workload import Crowd, Workload
from leadvelocity.settings import Settings

DIRECTORY = Path(".bench")
RUNS, CLASSES = DIRECTORY.absolute() / "runs", DIRECTORY.absolute() / "classes"
DAY_MS = 86_400_000
ALL = ",".join(MAKERS)
QUICK_S, FULL_S = 420.0, 7_200.0
"""No round begins that would end later."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

Keys = Annotated[str, typer.Option(help="Engines, by commas.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Takes the figures.")]


@app.callback()
def main() -> None:
    """Measure the pipeline beside other engines, on a stack of its own in `.bench`."""


@app.command()
def throughput(
    *,
    keys: Keys = ALL,
    events: Annotated[int, typer.Option(help="Events of each run.")] = 400_000,
    few_events: Annotated[int, typer.Option(help="Events for slow engines.")] = 30_000,
    leads: Annotated[int, typer.Option(help="Leads there may be.")] = 100_000,
    rounds: Annotated[int, typer.Option(help="Runs of each engine, in turn.")] = 5,
    within_s: Annotated[
        float, typer.Option(help="No round begins that would end later.")
    ] = QUICK_S,
    json_file: JsonFile = None,
    shared: Annotated[bool, typer.Option(help="Do not pin the engine to one core.")] = False,
) -> None:
    """Run the engines alternately over preloaded topics, and check their answers."""
    cores = Cores.shared() if shared else Cores.pinned()
    until_s = time.monotonic() + within_s
    ready = engines(keys.split(","), folder=CLASSES, progress=progress)
    with servers(DIRECTORY, progress) as settings:
        plan = Plan(
            rounds_max=rounds,
            until_s=until_s,
            inputs=_loaded(settings, events, leads, prefix=""),
            few=_loaded(settings, few_events, leads, prefix="few-"),
            cores=cores,
            folder=RUNS,
        )
        records = run_rounds(ready, plan, settings, progress)
    failures = [failure for record in records.values() for failure in record.failures]
    _finish(throughput_figures(records), failures, json_file)


@app.command()
def latency(
    *,
    keys: Keys = "ours_exactly_once,kafka_streams_exactly_once",
    rates: Annotated[str, typer.Option(help="Events a second, by commas.")] = "100,1000,10000",
    seconds: Annotated[float, typer.Option(help="How long each rate lasts.")] = 20.0,
    leads: Annotated[int, typer.Option(help="Leads there may be.")] = 100_000,
    json_file: JsonFile = None,
    shared: Annotated[bool, typer.Option(help="Do not pin the engine to one core.")] = False,
) -> None:
    """Send events at steady rates, and see how soon their tier changes are visible."""
    ready = engines(keys.split(","), folder=CLASSES, progress=progress)
    wanted = Rates(
        rates=tuple(float(each) for each in rates.split(",")), seconds=seconds, leads=leads
    )
    cores = Cores.shared() if shared else Cores.pinned()
    figures: dict[str, Any] = {}
    failures: list[str] = []
    with servers(DIRECTORY, progress) as settings:
        for engine in ready:
            run = replace(_run(engine, settings, live_inputs(), "latency"), bounded=False)
            try:
                measured = measure_latency(engine, run, wanted, cores, progress)
            except BenchFailed as error:
                progress(str(error))
                failures.append(str(error))
                continue
            figures[engine.key] = [asdict(each) for each in measured]
    _finish({"latency": figures}, failures, json_file)


@app.command()
def state(
    *,
    keys: Keys = "ours_exactly_once",
    crowds: Annotated[str, typer.Option(help="Numbers of leads, by commas.")] = "100000,1000000",
    further: Annotated[int, typer.Option(help="Events after each lead has had one.")] = 300_000,
    json_file: JsonFile = None,
) -> None:
    """Give an engine many leads; see what they cost, and how soon it is back."""
    ready = engines(keys.split(","), folder=CLASSES, progress=progress)
    cores = Cores.pinned()
    figures: dict[str, Any] = {}
    with servers(DIRECTORY, progress) as settings:
        for leads in map(int, crowds.split(",")):
            crowd = Crowd(leads=leads, further=further, begins_at_ms=_yesterday_ms())
            inputs = load(settings, crowd, progress, checked=False)
            for engine in ready:
                run = _run(engine, settings, inputs, f"{leads}-leads")
                measured = measure_state(engine, run, leads, cores)
                progress(f"{engine.title}: {measured}")
                figures.setdefault(engine.key, []).append(asdict(measured))
    _finish({"state": figures}, [], json_file)


@app.command()
def sink(
    *,
    events: Annotated[int, typer.Option(help="Events whose outputs are stored.")] = 200_000,
    json_file: JsonFile = None,
) -> None:
    """Let the sink store what the whole product wrote."""
    cores = Cores.pinned()
    [engine] = engines(["ours_whole_product"], folder=CLASSES, progress=progress)
    with servers(DIRECTORY, progress) as settings:
        inputs = _loaded(settings, events, 100_000, prefix="")
        run = _run(engine, settings, inputs, "sink")
        rows_per_s = measure_sink(engine, run, cores)
        progress(f"the sink stores {rows_per_s:,.0f} rows/s")
    _finish({"clickhouse_rows_per_s": rows_per_s}, [], json_file)


@app.command()
def workers(
    *,
    events: Annotated[int, typer.Option(help="Events of each run.")] = 600_000,
    rounds: Annotated[int, typer.Option(help="Runs of each number of workers, in turn.")] = 5,
    json_file: JsonFile = None,
) -> None:
    """Compare one worker on a core with two on two, the servers sharing both cores."""
    [engine] = engines(["ours_exactly_once"], folder=CLASSES, progress=progress)
    counts = (1, Cores.one_of_all()), (2, Cores.shared())
    figures: dict[str, list[float]] = {"1": [], "2": []}
    with servers(DIRECTORY, progress) as settings:
        inputs = _loaded(settings, events, 100_000, prefix="")
        for number in range(rounds):
            for count, cores in counts:
                run = _run(engine, settings, inputs, f"{count}-workers-{number}")
                measured = measure(engine, run, cores, workers=count)
                figures[str(count)].append(measured.late_events_per_s)
                progress(f"{count} workers: {measured}")
    _finish({"workers": {key: spread(each) for key, each in figures.items()}}, [], json_file)


def progress(text: str) -> None:
    """Print one line about work under way."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def _loaded(settings: Settings, events: int, leads: int, *, prefix: str) -> Inputs:
    workload = Workload(events=events, leads=leads, begins_at_ms=_yesterday_ms())
    return load(settings, workload, progress, prefix=prefix)


def _yesterday_ms() -> int:
    return (time.time_ns() // 1_000_000 // DAY_MS - 1) * DAY_MS


def _run(engine: Engine, settings: Settings, inputs: Inputs, name: str) -> Run:
    name = f"{engine.key.replace('_', '-')}-{name}"
    return Run(name=name, settings=settings, inputs=inputs, folder=RUNS / name)


def _finish(figures: dict[str, Any], failures: list[str], json_file: Path | None) -> None:
    """Print the figures; end with 1 where an engine failed."""
    figures |= {"machine": machine(), "versions": versions()}
    text = json.dumps(figures, indent=2) + "\n"
    if json_file is not None:
        json_file.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    if failures:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
