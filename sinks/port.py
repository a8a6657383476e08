"""The port between the engine and a store of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4


class SinkError(Exception):
    """A store did not do what it was asked."""


class SinkUnavailable(SinkError):
    """The store cannot take rows now; the same block may be written again later."""


class SinkMisconfigured(SinkUnavailable):
    """The store will take no rows until someone changes it or the settings; none is lost."""


class SinkRejected(SinkError):
    """The store will never take a row as it is.

    Parameters
    ----------
    offset : int or None
        Of the row's record; None where the store does not say which row it is.
    """

    def __init__(
        self, message: str, *, topic: str, partition: int, offset: int | None = None
    ) -> None:
        super().__init__(message)
        self.topic = topic
        self.partition = partition
        self.offset = offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows of one partition of a topic, to be written as one.

    Parameters
    ----------
    first_offset, last_offset : int
        The offsets that it covers, both included; not every one of them needs to have a row.
    name : str
        Of this block and no other: a store that knows it holds these very rows.
    columns : mapping of str to sequence
        Values by column, all of the same length; `source_offset` rises from row to row.
    """

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    name: str = field(default_factory=lambda: uuid4().hex)
    columns: Mapping[str, Sequence[object]] = field(repr=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def halves(self) -> "tuple[Block, Block]":
        """Return its rows as two blocks, the earlier first; of two rows at least."""
        middle = self.rows // 2
        first_of_later = self.columns["source_offset"][middle]
        assert isinstance(first_of_later, int), "offsets are whole numbers"
        return (
            self._part(slice(None, middle), self.first_offset, first_of_later - 1),
            self._part(slice(middle, None), first_of_later, self.last_offset),
        )

    def _part(self, rows: slice, first_offset: int, last_offset: int) -> "Block":
        return Block(
            topic=self.topic,
            partition=self.partition,
            first_offset=first_offset,
            last_offset=last_offset,
            columns={name: values[rows] for name, values in self.columns.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A record that is no row of its table, and why.

    Parameters
    ----------
    record : str
        What it says, as JSON; see `sinks.rejected`.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    record: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a sink agent made of a stretch of one partition.

    Parameters
    ----------
    rejected : tuple of RejectedRow
        To be kept before the blocks are written: afterwards nobody reads their records again.
    blocks : tuple of Block
        In the order of their offsets.
    complete : bool
        Whether that is all: nothing read before is kept back for a later block.
    """

    rejected: tuple[RejectedRow, ...]
    blocks: tuple[Block, ...]
    complete: bool


class RowSink(Protocol):
    """A store that holds each record of a topic as one row, however often it is written.

    Blocks of a partition come in the order of their offsets and leave no record out. So the
    highest offset held says that all before it are held too, with several writers at once as well.
    Where no row can say so, since nothing follows but what makes no rows, it is noted.
    """

    def positions(self, topic: str) -> dict[int, int]:
        """Return where to go on, by partition: after the highest offset held, or further if noted.

        Parameters
        ----------
        topic : str

        Returns
        -------
        dict of int to int
            Without the partitions of which no row is held and nothing is noted.

        Raises
        ------
        SinkUnavailable
            Ask again later.
        """
        ...

    def write(self, block: Block) -> None:
        """Write a block; it is durable when this returns.

        Rows that are held already, from a block cut otherwise too, are not seen twice.

        Parameters
        ----------
        block : Block

        Raises
        ------
        SinkUnavailable
            Write the same block again later, until it is taken: whether it is held is not known.
        SinkRejected
            Never, as it is.
        """
        ...

    def reject(self, rows: Sequence[RejectedRow]) -> None:
        """Keep what is no row of its table; it moves no position, and is not seen twice.

        Parameters
        ----------
        rows : sequence of RejectedRow

        Raises
        ------
        SinkUnavailable
            Ask again later.
        """
        ...

    def note_position(self, topic: str, partition: int, position: int) -> None:
        """Note that no record before an offset is wanted any more.

        A note that is older than another, or than the rows, changes nothing.

        Parameters
        ----------
        topic : str
        partition : int
        position : int

        Raises
        ------
        SinkUnavailable
            Ask again later.
        """
        ...
