"""Where the three servers of a stack are found."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseEndpoint:
    """Address and account of the ClickHouse server.

    Parameters
    ----------
    port : int
        Of the native protocol.
    http_port : int
        Of the HTTP interface.
    """

    host: str
    port: int
    http_port: int
    user: str
    password: str
    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """What clients need to reach a stack.

    Parameters
    ----------
    kafka : str
        Bootstrap server, ``host:port``.
    registry : str
        URL of the Confluent-compatible interface.
    """

    kafka: str
    registry: str
    clickhouse: ClickHouseEndpoint

    def as_json(self) -> dict[str, object]:
        """Return the plain form that ``stack up`` prints."""
        return asdict(self)
