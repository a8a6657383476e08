"""A row sink that keeps its rows in memory: for tests and simulations."""

from collections.abc import Sequence
from threading import Lock

from sinks.port import Block, RejectedRow

Row = dict[str, object]


class MemorySink:
    """Rows by their place in Kafka; several threads may write."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[int, int], Row]] = {}
        self._rejected: dict[tuple[str, int, int], RejectedRow] = {}
        self._noted: dict[str, dict[int, int]] = {}
        self._lock = Lock()

    def positions(self, topic: str) -> dict[int, int]:
        """Return where to go on, by partition: after the rows held, or further where noted."""
        with self._lock:
            held = dict(self._noted.get(topic, {}))
            for partition, offset in self._rows.get(topic, {}):
                held[partition] = max(offset + 1, held.get(partition, 0))
            return held

    def write(self, block: Block) -> None:
        """Keep the rows of a block."""
        if not block.rows:
            return
        names = tuple(block.columns)
        rows = [dict(zip(names, row, strict=True)) for row in _across(block)]
        with self._lock:
            held = self._rows.setdefault(block.topic, {})
            for offset, row in zip(block.columns["source_offset"], rows, strict=True):
                assert isinstance(offset, int)
                held[block.partition, offset] = row

    def reject(self, rows: Sequence[RejectedRow]) -> None:
        """Keep what is no row of its table."""
        with self._lock:
            for row in rows:
                self._rejected[row.topic, row.partition, row.offset] = row

    def note_position(self, topic: str, partition: int, position: int) -> None:
        """Note that no record before an offset is wanted any more."""
        with self._lock:
            noted = self._noted.setdefault(topic, {})
            noted[partition] = max(position, noted.get(partition, 0))

    def rejected(self) -> list[RejectedRow]:
        """Return what was kept by `reject`, by topic, partition and offset."""
        with self._lock:
            return [row for _, row in sorted(self._rejected.items(), key=lambda each: each[0])]

    def rows(self, topic: str) -> list[Row]:
        """Return the rows of a topic, by partition and offset."""
        with self._lock:
            return [row for _, row in sorted(self._rows.get(topic, {}).items(), key=_place)]


def _across(block: Block) -> list[tuple[object, ...]]:
    return list(zip(*block.columns.values(), strict=True))


def _place(entry: tuple[tuple[int, int], Row]) -> tuple[int, int]:
    return entry[0]
