"""`python -m bench`: what `make bench` runs, and parts of it."""

import json
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bench.engines.catalogue import MAKERS
from bench.errors import BenchFailed
from bench.machine import machine, versions
from bench.page import write_page
from bench.stages import Bench, Figures

DIRECTORY = Path(".bench")
DOCS = Path(__file__).resolve().parents[1] / "docs"
ALL = ",".join(MAKERS)
LEFT_OUT = ("ours_exactly_once_memory", "quix_exactly_once")
QUICK = ",".join(key for key in MAKERS if key not in LEFT_OUT)
"""The quick run is to end within ten minutes, so it leaves some out."""

LIVE = (
    "ours_exactly_once",
    "ours_whole_product",
    "kafka_streams_exactly_once",
    "flink_exactly_once",
)
"""Whose latency is measured."""

ALL_LIVE = ",".join(LIVE)
RATES = (100.0, 1_000.0, 10_000.0)
SHARES_OF_MAXIMUM = (0.5, 0.8)
QUICK_S, FULL_S = 420.0, 2_400.0
FEW_EVENTS = 30_000
CROWDS = (100_000, 1_000_000, 10_000_000)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

Keys = Annotated[str, typer.Option(help="Engines, by commas.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Takes the figures.")]
Events = Annotated[int, typer.Option(help="Events of each run.")]
Seconds = Annotated[float, typer.Option(help="How long each rate lasts.")]
Rounds = Annotated[int, typer.Option(help="Runs of each engine, in turn.")]


@app.callback()
def main() -> None:
    """Measure the pipeline beside other engines, on servers of its own in `.bench`."""


@app.command()
def everything(
    *,
    json_file: JsonFile = None,
    events: Events = 1_000_000,
    rounds: Rounds = 5,
    seconds: Seconds = 20.0,
    largest: Annotated[int, typer.Option(help="Leads at most.")] = CROWDS[-1],
) -> None:
    """Measure all there is, and write docs/performance.md; takes an hour or more."""
    bench, figures = _begin()
    keys, few = ALL.split(","), max(events // 20, FEW_EVENTS)
    for name, shared in ("throughput", False), ("throughput_shared", True):
        measured = bench.throughput(
            keys,
            events=events,
            few_events=few,
            rounds=rounds,
            until_s=_in(FULL_S),
            shared=shared,
        )
        figures |= measured | figures | {name: measured["throughput"]}
        _keep(figures)
    rates = {key: _rates(figures.get(key)) for key in LIVE}
    crowds = [each for each in CROWDS if each <= largest]
    for stage in (
        partial(bench.latency, rates, seconds=seconds),
        partial(bench.workers, events=2 * events, rounds=rounds),
        partial(bench.state, crowds, further=3 * events),
        partial(bench.sink, events=events // 2),
    ):
        figures |= stage()
        _keep(figures)
    figures["failures"] = bench.failures
    write_page(figures, DOCS)
    _finish(bench, figures, json_file)


@app.command()
def throughput(
    *,
    json_file: JsonFile = None,
    keys: Keys = QUICK,
    events: Events = 300_000,
    few_events: Annotated[int, typer.Option(help="Events for slow engines.")] = FEW_EVENTS,
    rounds: Rounds = 5,
    within_s: Annotated[
        float, typer.Option(help="No round begins that would end later.")
    ] = QUICK_S,
    shared: Annotated[bool, typer.Option(help="Do not pin the engine to one core.")] = False,
) -> None:
    """Run engines alternately over preloaded topics, and check their answers."""
    until_s = _in(within_s)
    bench, figures = _begin()
    figures |= bench.throughput(
        keys.split(","),
        events=events,
        few_events=few_events,
        rounds=rounds,
        until_s=until_s,
        shared=shared,
    )
    _finish(bench, figures, json_file)


@app.command()
def latency(
    *,
    json_file: JsonFile = None,
    keys: Keys = ALL_LIVE,
    rates: Annotated[str, typer.Option(help="Events a second, by commas.")] = "100,1000,10000",
    seconds: Seconds = 20.0,
) -> None:
    """Send events at steady rates, and see how soon their tier changes are visible."""
    bench, figures = _begin()
    wanted = [float(each) for each in rates.split(",")]
    figures |= bench.latency(dict.fromkeys(keys.split(","), wanted), seconds=seconds)
    _finish(bench, figures, json_file)


@app.command()
def state(
    *,
    json_file: JsonFile = None,
    crowds: Annotated[str, typer.Option(help="Numbers of leads, by commas.")] = "100000,1000000",
    further: Annotated[int, typer.Option(help="Events after each lead has had one.")] = 3_000_000,
) -> None:
    """Give our worker many leads; see what they cost, and how soon it is back."""
    bench, figures = _begin()
    figures |= bench.state([int(each) for each in crowds.split(",")], further=further)
    _finish(bench, figures, json_file)


@app.command()
def workers(*, json_file: JsonFile = None, events: Events = 2_000_000, rounds: Rounds = 5) -> None:
    """Compare a worker and the servers on one core with two workers and them on all."""
    bench, figures = _begin()
    figures |= bench.workers(events=events, rounds=rounds)
    _finish(bench, figures, json_file)


@app.command()
def sink(*, json_file: JsonFile = None, events: Events = 200_000) -> None:
    """Let the sink store what the whole product wrote."""
    bench, figures = _begin()
    figures |= bench.sink(events=events)
    _finish(bench, figures, json_file)


@app.command()
def page(json_file: Annotated[Path, typer.Argument(help="Figures of `everything`.")]) -> None:
    """Write docs/performance.md anew from figures."""
    write_page(json.loads(json_file.read_text(encoding="utf-8")), DOCS)


def progress(text: str) -> None:
    """Print one line about work under way."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def _begin() -> tuple[Bench, Figures]:
    """Return what measures, and when, on what and with which versions it does."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    about = {"measured_at": at, "machine": machine(), "versions": versions()}
    return Bench(directory=DIRECTORY, progress=progress), about


def _rates(maximum: float | None) -> list[float]:
    """Return the rates at which latency is measured; those near the maximum where it is known."""
    return [*RATES, *(share * maximum for share in SHARES_OF_MAXIMUM if maximum)]


def _in(seconds: float) -> float:
    return time.monotonic() + seconds


def _keep(figures: Figures) -> None:
    """Keep what there is, in case that the rest fails."""
    (DIRECTORY / "figures.json").write_text(json.dumps(figures), encoding="utf-8")


def _finish(bench: Bench, figures: Figures, json_file: Path | None) -> None:
    """Print the figures; end with 1 where something failed."""
    figures["failures"] = bench.failures
    text = json.dumps(figures, indent=2) + "\n"
    if json_file is not None:
        json_file.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    if bench.failures:
        raise typer.Exit(1)


def _run() -> None:
    try:
        app()
    except BenchFailed as error:
        progress(str(error))
        sys.exit(1)


if __name__ == "__main__":
    _run()
