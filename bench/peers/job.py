"""What a peer is told: a file of JSON, named on the command line."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Where the events are, and where the answers go.

    Parameters
    ----------
    kafka : str
        Bootstrap server.
    topics : list of str
        The input topics.
    schemas : dict of int to mapping
        What values are written with, by the id in their head.
    weights : dict of int to float
        What an event counts, by the same id.
    records : int
        How many there are; 0: more will come.
    output, changelog : str
        Topics.
    folder : Path
        For local state.
    """

    kafka: str
    partitions: int
    group: str
    topics: list[str]
    schemas: dict[int, Any]
    weights: dict[int, float]
    records: int
    output: str
    changelog: str
    folder: Path


def read_job() -> Job:
    """Read the file that the command line names; from now on, end with standard input."""
    Thread(target=_end_with_stdin, name="parent", daemon=True).start()
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name in ("schemas", "weights"):
        content[name] = {int(key): value for key, value in content[name].items()}
    content["folder"] = Path(content["folder"])
    return Job(**content)


def change_json(lead_id: str, event_id: str, before: str, after: str, score: float) -> bytes:
    """Return a tier change as peers write it."""
    return json.dumps(
        {"lead_id": lead_id, "event_id": event_id, "from": before, "to": after, "score": score}
    ).encode()


def _end_with_stdin() -> None:
    """Who measures holds the other end of the pipe: when it is gone, so is what it started."""
    while os.read(0, 1):
        pass
    os._exit(0)
