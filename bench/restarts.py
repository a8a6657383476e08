"""How soon a worker is ready, and what it takes in memory, with the states of many leads."""

import re
import sys
import time
from pathlib import Path
from threading import Event

from bench.cores import Cores
from bench.errors import BenchFailed
from bench.inputs import Progress, load
from bench.program import Program
from bench.workload import Workload
from leadvelocity.settings import Settings
from leadvelocity.topics import TASKS

READY = b" runs from "
READY_S_MAX = 1_800.0
CAUGHT_UP_S = 20.0
LOOK_EACH_S = 0.05
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Restarts:
    """A worker that is started again and again on one state folder.

    Parameters
    ----------
    settings : Settings
        Of running servers.
    folder : Path
        Takes the states, and what the worker prints.
    """

    def __init__(self, settings: Settings, folder: Path, progress: Progress) -> None:
        self._settings = settings
        self._folder = folder
        self._progress = progress
        self._starts = 0
        self._never = Event()

    def measure(self, workload: Workload) -> dict[str, dict[str, float]]:
        """Start without a copy, kill amid a workload, start, stop, and start.

        Returns
        -------
        dict
            For each start the seconds from the start of the process until all tasks run, and the
            most memory that it had in its life.
        """
        (self._folder / "worker.toml").write_text(
            f'state_dir = "{self._folder / "state"}"\n[engine]\nstore = "rocksdb"\n',
            encoding="utf-8",
        )
        figures = {}
        for name, polite in (("from_changelog", False), ("after_kill", True), ("after_stop", True)):
            worker, ready_s = self._started()
            with worker:
                self._progress(f"{name}: ready after {ready_s:.1f} s")
                if name != "after_stop":
                    load(self._settings, workload, self._progress, checked=False)
                    self._never.wait(0 if name == "from_changelog" else CAUGHT_UP_S)
                figures[name] = {"ready_s": ready_s, "peak_bytes": _peak_bytes(worker.pid)}
                worker.stop(politely=polite)
        return figures

    def _started(self) -> tuple[Program, float]:
        self._starts += 1
        log = self._folder / f"worker-{self._starts}.log"
        begun_s = time.monotonic()
        command = (sys.executable, "-m", "leadvelocity", "worker", "--end-with-stdin")
        where = ("--dir", str(self._settings.directory))
        file = ("--settings", str(self._folder / "worker.toml"))
        worker = Program((*command, *where, *file), log=log, on=Cores.shared().engine)
        tasks = len(TASKS) * self._settings.topics.partitions
        while log.read_bytes().count(READY) < tasks:
            worker.check()
            if time.monotonic() - begun_s > READY_S_MAX:
                raise BenchFailed(f"not ready after {READY_S_MAX:.0f} s: {worker.last_lines()}")
            self._never.wait(LOOK_EACH_S)
        return worker, time.monotonic() - begun_s


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = PEAK.search(status)
    return 1024 * int(found[1]) if found else 0
