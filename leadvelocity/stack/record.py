"""What a stack remembers between commands, in ``stack.json`` of its folder."""

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from leadvelocity.stack import ports
from leadvelocity.stack.errors import NotAStack
from leadvelocity.stack.process import ProcessId

FILE_NAME = "stack.json"
_FORMAT = 1
_PORTS = (
    "kafka",
    "kafka_controller",
    "registry",
    "registry_management",
    "clickhouse",
    "clickhouse_http",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """The fixed choices of a stack, and which processes run for it.

    Parameters
    ----------
    ports : mapping of str to int
        Chosen once, so that clients' settings stay valid after a restart.
    kafka_cluster_id : str
    clickhouse_password : str
        Made for this stack; the file is readable by its owner only.
    processes : mapping of str to ProcessId
        By part; those that were started and not yet stopped.
    """

    ports: Mapping[str, int]
    kafka_cluster_id: str
    clickhouse_password: str
    processes: Mapping[str, ProcessId]

    @classmethod
    def new(cls) -> Self:
        """Return the record of a stack that has never run."""
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        return cls(
            ports=ports.choose(_PORTS),
            # Kafka's tool would read a leading dash as an option.
            kafka_cluster_id=cluster_id.replace("-", "_"),
            clickhouse_password=secrets.token_urlsafe(18),
            processes={},
        )

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the record of the stack in `directory`.

        Raises
        ------
        NotAStack
            There is none, or it is not one of ours.
        """
        try:
            content = json.loads((directory / FILE_NAME).read_text(encoding="utf-8"))
            return cls._from(content)
        except (FileNotFoundError, NotADirectoryError):
            raise NotAStack(directory, "holds no local stack") from None
        except (ValueError, KeyError, TypeError) as error:
            raise NotAStack(directory, f"has a {FILE_NAME} that is no stack's: {error!r}") from None

    @classmethod
    def _from(cls, content: Any) -> Self:
        if content["leadvelocity_stack"] != _FORMAT:
            raise ValueError(f"format {content['leadvelocity_stack']}, not {_FORMAT}")
        return cls(
            ports={name: int(content["ports"][name]) for name in _PORTS},
            kafka_cluster_id=str(content["kafka_cluster_id"]),
            clickhouse_password=str(content["clickhouse_password"]),
            processes={
                part: ProcessId(pid=int(each["pid"]), started_at_s=float(each["started_at_s"]))
                for part, each in content["processes"].items()
            },
        )

    def save(self, directory: Path) -> None:
        """Write it, as a whole or not at all."""
        content = {
            "leadvelocity_stack": _FORMAT,
            "ports": dict(self.ports),
            "kafka_cluster_id": self.kafka_cluster_id,
            "clickhouse_password": self.clickhouse_password,
            "processes": {
                part: {"pid": each.pid, "started_at_s": each.started_at_s}
                for part, each in self.processes.items()
            },
        }
        temporary = directory / f"{FILE_NAME}.new"
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(directory / FILE_NAME)

    def with_process(self, part: str, process: ProcessId | None) -> Self:
        """Return it with `process` running as `part`, or with none."""
        processes = {name: each for name, each in self.processes.items() if name != part}
        if process:
            processes[part] = process
        return replace(self, processes=processes)

    def with_new_ports(self) -> Self:
        """Return it with other ports."""
        return replace(self, ports=ports.choose(_PORTS))
