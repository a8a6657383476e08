"""The page of figures: tables and plots, from the figures alone."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import harmonic_mean
from typing import Any

from bench.planning import Demand, planned, reading_back_s
from bench.plots import Bar, bars, lines

Figures = Mapping[str, Any]

PAGE, DATA = "performance.md", "performance.json"
OURS = "ours_exactly_once"
WHOLE, STREAMS, FLINK = "ours_whole_product", "kafka_streams_exactly_once", "flink_exactly_once"
BARE, FAUST = "bare_loop_changelog", "faust_documented"

INTRO = """# Performance

<!-- Made by `make bench`. To make it anew from its figures: `python -m bench page FILE`. -->

What is measured, by which rule, and why answers can be compared, says
[bench/README.md](../bench/README.md). Every run's answers were checked. Each figure is the median
of its runs, which took turns; in brackets the least and the most.
"""
LATENCY = """## Latency, from the append of an event to its tier change being visible
To a `read_committed` subscriber; the engine on one core, Kafka, the sender and the subscriber on
the other, which at the highest rates is the first to have no time left.
"""
STATE = """## Size of the state
Our worker with RocksDB: each lead has an event, then leads are as active as Zipf's law says, then
any lead alike: most events ask the disk where leads are many more than are kept decoded. Of both,
the middle half is measured: before it RocksDB merges what the first events left to merge, after it
some partitions, which are not equally active, are through.
The workers take turns on one core, each with a Kafka of its own; a share is that of the speed with
the fewest leads, over all turns and, in brackets, in one and the turn beside it. Back means that
tier changes of every partition come again, counted from the start of the process.
"""
WORKERS = """## More workers, each on a core of its own
One worker, Kafka and what measures on one core; then two workers, each pinned to a core, and the
same Kafka on both. From a quarter to three quarters of the events: leads are not equally active, so
one of two workers is through before the other.
"""
SINK = """## ClickHouse
One sink on one core stores {rows:,} rows a second, of all tables, in the local stack's engine.
"""

PLAN = """## Planning a billion events a day
Computed from the figures above, for the whole product with all outputs; `bench/planning.py` has it
as a program. A replica of ClickHouse takes its disk again. Multiply by what a core and a terabyte
cost you.
"""

RATIOS = (
    ("the small job, against Kafka Streams exactly once", OURS, STREAMS),
    ("the small job, against Flink exactly once", OURS, FLINK),
    ("the small job, against Faust as documented", OURS, FAUST),
    ("the small job, against a bare loop that is not exactly once", OURS, BARE),
    ("the whole product, against Kafka Streams doing the small job", WHOLE, STREAMS),
)


def write_page(figures: Figures, docs: Path) -> None:
    """Write the page, its plots and its figures.

    Parameters
    ----------
    docs : Path
        The folder of the documentation.
    """
    (docs / DATA).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    for name, text in files(figures).items():
        (docs / name).write_text(text, encoding="utf-8")


def files(figures: Figures) -> dict[str, str]:
    """Return the page and its plots, by their names in the folder of the documentation."""
    made = {PAGE: _page(figures)}
    if "throughput" in figures:
        made["images/performance-throughput.svg"] = _throughput_plot(figures["throughput"])
    if figures.get("latency"):
        made["images/performance-latency.svg"] = _latency_plot(figures["latency"])
    if len(figures.get("state", ())) > 1:
        made["images/performance-state.svg"] = _state_plot(figures["state"])
    return made


def _page(figures: Figures) -> str:
    sections: tuple[tuple[str, Callable[[Figures], str]], ...] = (
        ("throughput", _throughput),
        ("throughput_shared", _shared),
        ("latency", _latency),
        ("state", _state),
        ("workers", _workers),
        ("sink", _sink),
    )
    parts = [INTRO, _about(figures)]
    parts += [section(figures) for key, section in sections if figures.get(key)]
    if figures.get("ours_whole_product") and figures.get("state") and figures.get("sink"):
        parts.append(_plan(Demand(), figures))
    if figures.get("failures"):
        parts.append("## What failed\n" + "\n".join(f"- {each}" for each in figures["failures"]))
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _about(figures: Figures) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in figures["machine"].items())
    versions = ", ".join(f"{name} {value}" for name, value in figures["versions"].items())
    return f"Measured at {figures['measured_at']} on: {machine}. Versions: {versions}."


def _throughput(figures: Figures) -> str:
    ratios = [
        (text, f"{figures[one] / figures[other]:.2f}")
        for text, one, other in RATIOS
        if figures.get(one) and figures.get(other)
    ]
    return "\n".join(
        [
            "## Throughput, each engine on one core",
            "From preloaded topics until outputs, state and positions are committed.",
            "",
            _engines(figures["throughput"]),
            "![Events a second of each engine](images/performance-throughput.svg)",
            "",
            _table(("against each other", "times"), ratios),
        ]
    )


def _shared(figures: Figures) -> str:
    title = "## Throughput, engine and servers sharing all cores\n"
    return title + _engines(figures["throughput_shared"])


def _engines(engines: Figures) -> str:
    measured = [each for each in engines.values() if each["runs"]]
    rows = [
        (
            each["title"],
            _spread(each["events_per_s"]),
            f"{each['late_events_per_s']['median']:,.0f}",
            f"{each['cpu_us_per_event']['median']:.1f}",
            f"{each['memory_mb']['median']:,.0f}",
            str(len(each["runs"])),
        )
        for each in sorted(measured, key=lambda each: -each["events_per_s"]["median"])
    ]
    head = (
        "engine",
        "events/s",
        "in the second half",
        "µs of processor an event",
        "most memory, MB",
        "runs",
    )
    return _table(head, rows)


def _latency(figures: Figures) -> str:
    rows = [
        (
            engine["title"],
            f"{each['reached']:,.0f}",
            *(f"{each[name]:,.0f}" for name in ("p50_ms", "p99_ms", "p999_ms", "most_ms")),
            f"{each['missing']} of {each['samples']}",
        )
        for engine in figures["latency"].values()
        for each in _by_rate(engine)
    ]
    head = ("engine", "events/s", "p50, ms", "p99, ms", "p99.9, ms", "most, ms", "never came")
    return "\n".join(
        [
            LATENCY,
            _table(head, rows),
            "![The 99th percentile by rate](images/performance-latency.svg)",
        ]
    )


def _state(figures: Figures) -> str:
    few = figures["state"][0]
    rows = [
        (
            f"{each['leads']:,}",
            *(
                text
                for name in ("events_per_s", "even_events_per_s")
                for text in (_of_turns(each[name]), _share(each[name], few[name]))
            ),
            f"{each['memory_mb']:,.0f}",
            f"{each['disk_mb']:,.0f}",
            *(f"{each[name]:.1f}" for name in ("killed_s", "stopped_s", "lost_s")),
            f"{reading_back_s(each) * 1e6:.1f}",
        )
        for each in figures["state"]
    ]
    head = (
        "leads",
        "events/s",
        "share",
        "events/s, any lead alike",
        "share",
        "most memory, MB",
        "on disk, MB",
        "back after kill -9, s",
        "after a clean stop, s",
        "without local state, s",
        "reading back, for each million leads, s",
    )
    parts = [STATE, _table(head, rows)]
    if len(rows) > 1:
        parts.append("![Events a second by number of leads](images/performance-state.svg)")
    return "\n".join(parts)


def _of_turns(speeds: Sequence[float]) -> str:
    """Return the speed over turns of as many events each, with the slowest and the quickest."""
    return f"{harmonic_mean(speeds):,.0f} [{min(speeds):,.0f} to {max(speeds):,.0f}]"


def _share(speeds: Sequence[float], others: Sequence[float]) -> str:
    """Return what part of the others' speed this is, with the least and the most of a turn."""
    turns = [one / other for one, other in zip(speeds, others, strict=True)]
    share = harmonic_mean(speeds) / harmonic_mean(others)
    return f"{share:.2f} [{min(turns):.2f} to {max(turns):.2f}]"


def _workers(figures: Figures) -> str:
    speeds = figures["workers"]
    rows = [(count, _spread(each)) for count, each in speeds.items()]
    parts = [WORKERS, _table(("workers and cores", "events/s"), rows)]
    if len(speeds) > 1:
        one, two = (each["median"] for each in speeds.values())
        parts.append(f"Two do {two / one:.2f} times the work of one.")
    return "\n".join(parts)


def _sink(figures: Figures) -> str:
    return SINK.format(rows=round(figures["sink"]["rows_per_s"]))


def _plan(demand: Demand, figures: Figures) -> str:
    plan = planned(demand, figures)
    rows = [
        (
            "events in the busiest second",
            f"{demand.events_a_day:,.0f} / 86,400 · {demand.peak:g} (the busiest, by the mean)",
            f"{plan.peak_per_s:,.0f}",
        ),
        (
            "workers, a core each",
            f"events / ({demand.load:g} · events/s of the whole product)",
            f"{plan.workers}",
        ),
        ("partitions", "2 · workers, to a multiple of 12: room to double", f"{plan.partitions}"),
        (
            "disk of a worker, GB",
            f"2 · {demand.leads:,.0f} leads / workers · measured size of a lead",
            f"{plan.worker_disk_gb:,.0f}",
        ),
        (
            "taking over a lost worker, s",
            "a clean start, and its leads · reading back / leads",
            f"{plan.take_over_s:,.0f}",
        ),
        (
            "sinks, a core each",
            f"events · rows of an event / ({demand.load:g} · rows/s)",
            f"{plan.sinks}",
        ),
        (
            "written to brokers, MB/s",
            f"events · bytes of an event, in and out, · {demand.replicas} replicas",
            f"{plan.broker_mb_per_s:,.0f}",
        ),
        (
            "kept by brokers, TB",
            f"the same for {demand.retention_days:g} days, uncompressed",
            f"{plan.broker_tb:,.0f}",
        ),
        (
            "kept by ClickHouse, TB",
            f"bytes of an event, for {demand.retention_days:g} days",
            f"{plan.clickhouse_tb:,.1f}",
        ),
    ]
    return PLAN + "\n" + _table(("what", "formula", "figure"), rows)


def _throughput_plot(engines: Figures) -> str:
    measured = {key: each for key, each in engines.items() if each["runs"]}
    content = [
        Bar(
            label=each["title"],
            value=each["events_per_s"]["median"],
            least=each["events_per_s"]["least"],
            most=each["events_per_s"]["most"],
            ours=key.startswith("ours"),
        )
        for key, each in measured.items()
    ]
    content.sort(key=lambda bar: -bar.value)
    return bars("Events a second on one core", content)


def _latency_plot(engines: Figures) -> str:
    series = {
        each["title"].split(",")[0] + (", whole" if key == WHOLE else ""): [
            (one["reached"], max(one["p99_ms"], 1.0)) for one in _by_rate(each)
        ]
        for key, each in engines.items()
    }
    return lines("99th percentile of latency", series, x="events a second", y="ms")


def _state_plot(sizes: Sequence[Figures]) -> str:
    series = {
        "events a second": [(each["leads"], harmonic_mean(each["events_per_s"])) for each in sizes],
        "of any lead alike": [
            (each["leads"], harmonic_mean(each["even_events_per_s"])) for each in sizes
        ],
        "most memory, MB": [(each["leads"], each["memory_mb"]) for each in sizes],
    }
    return lines("More leads", series, x="leads", y="events a second and MB")


def _by_rate(engine: Figures) -> list[Figures]:
    return sorted(engine["rates"], key=lambda each: each["rate"])


def _spread(figure: Figures) -> str:
    return f"{figure['median']:,.0f} [{figure['least']:,.0f} to {figure['most']:,.0f}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    every = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(each) + " |" for each in every) + "\n"
