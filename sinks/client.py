"""Connections to ClickHouse by its native protocol, and questions to it."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from clickhouse_driver import Client, errors

from sinks.failures import message_of, unavailable
from sinks.port import SinkError

TRANSPORT_FAULTS = (OSError, EOFError, errors.Error)
"""What the driver raises when the server is away, does not answer, or says no."""

_NOT_THE_QUERY = frozenset(
    {
        81,  # UNKNOWN_DATABASE
        192,  # UNKNOWN_USER
        193,  # WRONG_PASSWORD
        194,  # REQUIRED_PASSWORD
        195,  # IP_ADDRESS_NOT_ALLOWED
        516,  # AUTHENTICATION_FAILED
    }
)


class QueryRefused(SinkError):
    """ClickHouse does not run a query as it is; its own words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouse:
    """Where ClickHouse is and who asks.

    Parameters
    ----------
    port : int
        Of the native protocol: 9000, or 9440 with TLS, unless set up otherwise.
    password : str
        Never printed.
    secure : bool
        Speak TLS.
    verify : bool
        Refuse a server whose certificate is not trusted.
    ca_file : str or None
        Certificates to trust; None: those that the driver brings.
    connect_timeout_s : float
    transfer_timeout_s : float
        Longest silence of the server while it works.
    """

    host: str
    port: int = 9000
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = "default"
    secure: bool = False
    verify: bool = True
    ca_file: str | None = None
    connect_timeout_s: float = 5.0
    transfer_timeout_s: float = 30.0

    def client(self) -> Client:
        """Return a new client of the driver; it connects when it is first used."""
        return Client(
            self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
            client_name="leadvelocity",
            secure=self.secure,
            verify=self.verify,
            ca_certs=self.ca_file,
            connect_timeout=self.connect_timeout_s,
            send_receive_timeout=self.transfer_timeout_s,
            sync_request_timeout=self.connect_timeout_s,
            tcp_keepalive=True,
        )


class Clients:
    """Idle clients, lent to one thread at a time.

    Parameters
    ----------
    clickhouse : ClickHouse
    """

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._lock = Lock()
        self._idle: list[Client] = []
        self._lent: set[Client] = set()

    @contextmanager
    def lend(self) -> Iterator[Client]:
        """Lend a client; one that failed is not used again."""
        with self._lock:
            client = self._idle.pop() if self._idle else self._clickhouse.client()
            self._lent.add(client)
        try:
            yield client
        except BaseException:
            with self._lock:
                self._lent.discard(client)
            client.disconnect()
            raise
        with self._lock:
            self._lent.discard(client)
            self._idle.append(client)

    def close(self) -> None:
        """Close all clients; whoever waits on a lent one gets an error instead of an answer."""
        with self._lock:
            idle, self._idle = self._idle, []
            lent = list(self._lent)
        for client in idle:
            client.disconnect()
        for client in lent:
            _wake(client)


def _wake(client: Client) -> None:
    """End a connection that another thread uses; that thread then closes it."""
    used = client.connection.socket
    if used is not None:
        with suppress(OSError):  # it has just ended by itself
            used.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rows of a query, with the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_objects(self) -> list[dict[str, Any]]:
        """Return each row as a mapping of column to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(
    clickhouse: ClickHouse,
    sql: str,
    parameters: Mapping[str, object] | None = None,
) -> Answer:
    """Ask ClickHouse one thing.

    Parameters
    ----------
    clickhouse : ClickHouse
    sql : str
        One statement; ``%(name)s`` stands for a parameter where there are parameters.
    parameters : mapping or None

    Returns
    -------
    Answer
        Empty for a statement that gives no rows.

    Raises
    ------
    QueryRefused
        The statement is at fault.
    SinkUnavailable
        ClickHouse is away, or does not know the user or the database (`SinkMisconfigured`).
    """
    client = clickhouse.client()
    try:
        rows, columns = client.execute(sql, parameters, with_column_types=True) or ([], [])
    except TRANSPORT_FAULTS as error:
        if isinstance(error, errors.ServerException) and error.code not in _NOT_THE_QUERY:
            raise QueryRefused(message_of(error)) from error
        where = f"asking ClickHouse at {clickhouse.host}:{clickhouse.port}"
        raise unavailable(error, doing=where) from error
    finally:
        client.disconnect()
    return Answer(columns=tuple(name for name, _ in columns), rows=tuple(map(tuple, rows)))
