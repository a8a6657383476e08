"""The ClickHouse engine behind a server of ours, as a part of the stack."""

import http.client
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from leadvelocity.stack.endpoints import ClickHouseEndpoint
from leadvelocity.stack.part import Command, Progress
from leadvelocity.stack.ports import HOST

USER = "leadvelocity"
DATABASE = "leadvelocity"
_PROBE_S = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseFront:
    """The ClickHouse server in a folder."""

    directory: Path
    port: int
    http_port: int
    password: str
    stop_within_s: float = 20.0

    @property
    def name(self) -> str:
        """The word for it in messages."""
        return "clickhouse"

    @property
    def ports(self) -> tuple[int, ...]:
        """The native port and the HTTP port."""
        return self.port, self.http_port

    @property
    def log(self) -> Path:
        """The server's log; what Python says is beside it, in ``.out``."""
        return self.directory / "logs" / "clickhouse.log"

    @property
    def endpoint(self) -> ClickHouseEndpoint:
        """Address and account."""
        return ClickHouseEndpoint(
            host=HOST,
            port=self.port,
            http_port=self.http_port,
            user=USER,
            password=self.password,
            database=DATABASE,
        )

    def prepare(self, progress: Progress) -> Command:  # noqa: ARG002  # nothing takes long here
        """Write the password where only its owner can read it."""
        home = self.directory / "clickhouse"
        home.mkdir(parents=True, exist_ok=True)
        secret = home / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password, encoding="utf-8")
        options = {
            "--data": home / "data",
            "--port": self.port,
            "--http-port": self.http_port,
            "--user": USER,
            "--password-file": secret,
            "--database": DATABASE,
            "--log": self.log,
        }
        flags = [str(part) for option in options.items() for part in option]
        return Command(
            # -P: the folder it is started from shall not shadow our packages.
            arguments=[sys.executable, "-P", "-m", "leadvelocity.stack.clickhouse", *flags],
            environment={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"},
        )

    def answers(self) -> bool:
        """Return whether both interfaces select 1."""
        return self._answers_natively() and self._answers_over_http()

    def _answers_natively(self) -> bool:
        try:
            with Client(
                HOST,
                port=self.port,
                user=USER,
                password=self.password,
                connect_timeout=_PROBE_S,
                send_receive_timeout=_PROBE_S,
            ) as client:
                return bool(client.execute("SELECT 1") == [(1,)])
        except (Error, OSError):
            return False

    def _answers_over_http(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.http_port, timeout=_PROBE_S)
        account = {"X-ClickHouse-User": USER, "X-ClickHouse-Key": self.password}
        try:
            connection.request("POST", "/", body="SELECT 1", headers=account)
            return connection.getresponse().read() == b"1\n"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
