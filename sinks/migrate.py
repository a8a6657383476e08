"""Tables and views, brought to the newest version by numbered SQL files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from clickhouse_migrations.clickhouse_cluster import ClickhouseCluster
from clickhouse_migrations.exceptions import MigrationException
from clickhouse_migrations.migrator import STATUS_APPLIED, STATUS_PENDING

from sinks.client import TRANSPORT_FAULTS, ClickHouse, query
from sinks.failures import unavailable
from sinks.port import SinkError

FOLDER = Path(__file__).parent / "migrations"


class MigrationFailed(SinkError):
    """The tables cannot be brought to the newest version; says why and what to do."""


def migrate(
    clickhouse: ClickHouse, *, progress: Callable[[str], None] = lambda _: None
) -> tuple[str, ...]:
    """Make the database, its tables and views, or bring them to the newest version.

    It may be run again at any time, and after it was broken off.

    Parameters
    ----------
    clickhouse : ClickHouse
        Its user must be allowed to create tables and views.
    progress : callable
        Told the name of each file before it is applied.

    Returns
    -------
    tuple of str
        Names of the files that were applied now.

    Raises
    ------
    MigrationFailed
    SinkUnavailable
        Try again, or do what it says (`SinkMisconfigured`).
    """
    cluster = ClickhouseCluster(
        db_host=clickhouse.host,
        db_port=str(clickhouse.port),
        db_user=clickhouse.user,
        db_password=clickhouse.password,
        secure=clickhouse.secure,
        verify=clickhouse.verify if clickhouse.secure else None,
        ca_cert=clickhouse.ca_file if clickhouse.secure else None,
        connect_timeout=clickhouse.connect_timeout_s,
        query_timeout=clickhouse.transfer_timeout_s,
    )
    database = clickhouse.database
    try:
        if not _exists(clickhouse):
            progress(f"database {database}")
            cluster.create_db(database)
        pending = _pending(cluster, database)
        for version, name in pending:
            progress(name)
            cluster.migrate(database, FOLDER, create_db_if_no_exists=False, to_version=version)
    except MigrationException as error:
        raise MigrationFailed(f"database {database}: {error}") from error
    except TRANSPORT_FAULTS as error:
        raise unavailable(error, doing=f"migrating database {database}") from error
    return tuple(name for _, name in pending)


def _exists(clickhouse: ClickHouse) -> bool:
    """Ask first: who may not create databases may still own one."""
    answer = query(
        replace(clickhouse, database=""),
        "SELECT count() FROM system.databases WHERE name = %(name)s",
        {"name": clickhouse.database},
    )
    return bool(answer.rows[0][0])


def _pending(cluster: ClickhouseCluster, database: str) -> list[tuple[int, str]]:
    names = {int(path.name.split("_")[0]): path.name for path in FOLDER.glob("*.sql")}
    pending = []
    for row in cluster.status(database, FOLDER):
        if row.state == STATUS_PENDING:
            pending.append((row.version, names[row.version]))
        elif row.state != STATUS_APPLIED:
            raise MigrationFailed(
                f"database {database}: version {row.version} of its tables is not the one that"
                " this release brings; use the release that made them, or a newer one"
            )
    return pending
