"""Every engine that can be measured, by its key."""

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.engines.java_peers import flink, kafka_streams
from bench.engines.ours import Ours
from bench.engines.python_peers import BareLoop, FaustDocumented, quix
from bench.engines.run import Engine
from bench.errors import BenchFailed
from bench.inputs import Progress

Make = Callable[[Path, Progress], Engine]

SMALL_JOB = {"scored_events": False, "lead_scores": False}
"""Outputs that no peer has."""


def _ours(folder: Path, progress: Progress) -> Engine:  # noqa: ARG001
    return Ours(
        key="ours_exactly_once",
        title="this pipeline, exactly once, RocksDB",
        engine={"store": "rocksdb", **SMALL_JOB},
    )


def _ours_in_memory(folder: Path, progress: Progress) -> Engine:  # noqa: ARG001
    return Ours(
        key="ours_exactly_once_memory",
        title="this pipeline, exactly once, states in memory",
        engine={"store": "memory", **SMALL_JOB},
    )


def _whole_product(folder: Path, progress: Progress) -> Engine:  # noqa: ARG001
    return Ours(
        key="ours_whole_product",
        title="this pipeline, whole product, RocksDB",
        model=None,
        engine={"store": "rocksdb"},
    )


def _bare_loop(folder: Path, progress: Progress) -> Engine:  # noqa: ARG001
    return BareLoop()


def _faust(folder: Path, progress: Progress) -> Engine:  # noqa: ARG001
    return FaustDocumented()


MAKERS: dict[str, Make] = {
    "ours_exactly_once": _ours,
    "ours_exactly_once_memory": _ours_in_memory,
    "kafka_streams_exactly_once": kafka_streams,
    "flink_exactly_once": flink,
    "quix_exactly_once": quix,
    "bare_loop_changelog": _bare_loop,
    "faust_documented": _faust,
    "ours_whole_product": _whole_product,
}

SLOW = frozenset({"faust_documented"})
"""Engines that are given fewer events."""


def engines(keys: Sequence[str], *, folder: Path, progress: Progress) -> list[Engine]:
    """Make engines ready to be started.

    Parameters
    ----------
    folder : Path
        Takes what must be compiled.

    Raises
    ------
    BenchFailed
        No such engine, or it does not compile.
    StackError
        A jar cannot be had.
    """
    unknown = [key for key in keys if key not in MAKERS]
    if unknown:
        raise BenchFailed(f"no engine {', '.join(unknown)}; there are: {', '.join(MAKERS)}")
    return [MAKERS[key](folder, progress) for key in keys]
