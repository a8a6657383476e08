"""A row sink in ClickHouse, by its native protocol."""

from sinks.client import TRANSPORT_FAULTS, ClickHouse, Clients
from sinks.failures import LOCAL_FAULTS, unavailable, write_failure
from sinks.port import Block
from sinks.rows import table_of

INSERT_SETTINGS = {
    "async_insert": 0,  # else the server may answer before the rows are in the table
    "insert_deduplicate": 1,  # servers before 26 ask this one, newer ones the next
    "deduplicate_insert": "enable",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}


class ClickHouseSink:
    """Rows in the tables that `sinks.migrate` makes; blocking, for any number of threads.

    A row is named by its partition and offset, which are part of each table's key: written again
    it becomes the same row. The token below is a second net: it lets the server drop a block that
    it holds already, so that a retry of the same block is not seen even before the next merge.

    Parameters
    ----------
    clickhouse : ClickHouse
    """

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clients = Clients(clickhouse)

    def positions(self, topic: str) -> dict[int, int]:
        """Return one more than the highest offset held, by partition.

        Raises
        ------
        SinkUnavailable
        """
        sql = (
            "SELECT source_partition, max(source_offset) + 1"  # noqa: S608  # topics are ours
            f" FROM {table_of(topic)} WHERE source_topic = %(topic)s GROUP BY source_partition"
        )
        try:
            with self._clients.lend() as client:
                return dict(client.execute(sql, {"topic": topic}))
        except TRANSPORT_FAULTS as error:
            raise unavailable(error, doing=f"reading positions of {topic}") from error

    def write(self, block: Block) -> None:
        """Write a block as one insert; its rows are in the table when this returns.

        Raises
        ------
        SinkUnavailable, SinkRejected
        """
        if not block.rows:
            return
        names = ", ".join(block.columns)
        values = [list(column) for column in block.columns.values()]  # the driver changes them
        try:
            with self._clients.lend() as client:
                client.execute(
                    f"INSERT INTO {table_of(block.topic)} ({names}) VALUES",
                    values,
                    columnar=True,
                    settings={**INSERT_SETTINGS, "insert_deduplication_token": token_of(block)},
                )
        except (*TRANSPORT_FAULTS, *LOCAL_FAULTS) as error:
            raise write_failure(error, block) from error

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()


def token_of(block: Block) -> str:
    """Return the name under which ClickHouse remembers a block.

    The records of a range of offsets never change, so equal tokens mean equal rows.
    """
    return f"{block.topic}:{block.partition}:{block.first_offset}-{block.last_offset}"
