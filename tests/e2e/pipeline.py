"""Drives the public commands on a local stack of its own, as an operator would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "leadvelocity")
COMMAND_S_MAX = 180


@dataclass
class Pipeline:
    """A folder with a stack, and the workers and sinks that run on it."""

    folder: Path
    model: Path
    variables: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen] = field(default_factory=list)
    started: int = 0

    def attempt(
        self, *arguments: str, given: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess:
        """Run a command to its end, whatever that is."""
        return subprocess.run(
            [*COMMAND, *arguments, "--dir", str(self.folder)],
            input=given,
            capture_output=True,
            text=True,
            timeout=COMMAND_S_MAX,
            check=False,
            env=os.environ | self.variables | variables,
        )

    def command(self, *arguments: str, given: str | None = None) -> str:
        done = self.attempt(*arguments, given=given)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stderr[-3000:]}"
        return done.stdout

    def up(self) -> dict[str, Any]:
        return json.loads(self.command("stack", "up"))

    def send(self, events: Iterable[dict[str, Any]]) -> None:
        self.command("send", "-", given="".join(json.dumps(event) + "\n" for event in events))

    def start(self, *role: str) -> subprocess.Popen:
        self.started += 1
        process = self.spawn(*role, log=self.folder / f"{role[0]}-{self.started}.log")
        self.running.append(process)
        return process

    def spawn(
        self,
        *role: str,
        log: Path,
        program: Sequence[str] = COMMAND,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen:
        """Start a role that the caller looks after; what is sent to it comes through a pipe."""
        with log.open("ab") as stream:
            return subprocess.Popen(
                [*program, *role, "--dir", str(self.folder)],
                stdin=subprocess.PIPE if role[0] == "send" else subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=os.environ | self.variables | dict(variables or {}),
            )

    def worker(self) -> subprocess.Popen:
        return self.start("worker", "--model", str(self.model))

    def stop(self, process: subprocess.Popen) -> int:
        self.running.remove(process)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def sql(self, query: str) -> list[dict[str, Any]]:
        return json.loads(self.command("sql", query, "--json"))

    def wait(self, done: Callable[[], bool], *, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not done():
            for process in self.running:
                assert process.poll() is None, f"{process.args!r} ended:\n{self.logs()}"
            assert time.monotonic() < end, f"{what} took longer than {seconds} s:\n{self.logs()}"
            time.sleep(0.5)

    def logs(self) -> str:
        return "\n".join(
            f"{log.name}: {log.read_text(errors='replace')[-1500:]}"
            for log in self.folder.glob("*.log")
        )

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        subprocess.run(
            [*COMMAND, "stack", "wipe", "--dir", str(self.folder)],
            check=False,
            timeout=90,
            capture_output=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
