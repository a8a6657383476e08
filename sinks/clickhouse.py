"""A row sink in ClickHouse, by its native protocol."""

from collections.abc import Sequence

from sinks.client import TRANSPORT_FAULTS, ClickHouse, Clients
from sinks.failures import LOCAL_FAULTS, unavailable, write_failure
from sinks.port import Block, RejectedRow
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
    it holds already, so that a retry of the same block is not seen even before the next merge. It
    holds the block's own name, so no other block is ever taken for it: not the rows of a topic made
    anew, nor the same rows again after somebody deleted them.

    Parameters
    ----------
    clickhouse : ClickHouse
    """

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clients = Clients(clickhouse)

    def positions(self, topic: str) -> dict[int, int]:
        """Return where to go on, by partition: after the rows held, or further where that is noted.

        Raises
        ------
        SinkUnavailable
        """
        rows = (
            "SELECT source_partition, max(source_offset) + 1 AS position"  # noqa: S608  # topics are ours
            f" FROM {table_of(topic)} WHERE source_topic = %(topic)s GROUP BY source_partition"
        )
        notes = (
            "SELECT source_partition, position FROM source_positions WHERE source_topic = %(topic)s"
        )
        sql = (
            "SELECT source_partition, max(position)"  # noqa: S608  # see above
            f" FROM ({rows} UNION ALL {notes}) GROUP BY source_partition"
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

    def reject(self, rows: Sequence[RejectedRow]) -> None:
        """Keep rows in `rejected_rows`; they are there when this returns.

        Raises
        ------
        SinkUnavailable
        """
        if not rows:
            return
        values = [(row.topic, row.partition, row.offset, row.reason, row.record) for row in rows]
        try:
            with self._clients.lend() as client:
                client.execute(_REJECT, values, settings={"async_insert": 0})
        except TRANSPORT_FAULTS as error:
            first = rows[0]
            doing = f"keeping rejected rows from {first.topic}-{first.partition} {first.offset} on"
            raise unavailable(error, doing=doing) from error

    def note_position(self, topic: str, partition: int, position: int) -> None:
        """Note that no record before an offset is wanted any more; see `RowSink.note_position`.

        Raises
        ------
        SinkUnavailable
        """
        try:
            with self._clients.lend() as client:
                client.execute(_NOTE, [(topic, partition, position)], settings={"async_insert": 0})
        except TRANSPORT_FAULTS as error:
            raise unavailable(error, doing=f"noting a position of {topic}-{partition}") from error

    def close(self) -> None:
        """Close the connections; a statement under way on another thread fails."""
        self._clients.close()


_REJECT = (
    "INSERT INTO rejected_rows"
    " (source_topic, source_partition, source_offset, reason, record) VALUES"
)


_NOTE = "INSERT INTO source_positions (source_topic, source_partition, position) VALUES"


def token_of(block: Block) -> str:
    """Return what ClickHouse remembers a block by: its place, for people, and its own name."""
    place = f"{block.topic}:{block.partition}:{block.first_offset}-{block.last_offset}"
    return f"{place}:{block.name}"
