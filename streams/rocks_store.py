"""State on disk, in RocksDB: only what is committed, and only as long as it can be trusted.

A key begins with its kind: ``s`` an entry, ``d`` when one is due (`streams.due_index`), ``m`` what
the copy says of itself. One write batch holds entries, due times and offset, so a crash cuts the
copy back to an earlier commit and never tears it; the changelog has the rest.
"""

import logging
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rocksdict import Rdict, WriteBatch

from streams import due_index
from streams.due_index import DueIndex
from streams.rocks_options import RocksMemory, options, write_options
from streams.state_store import Changes, StateFormat, StoreDoubtful

logger = logging.getLogger(__name__)

LAYOUT = 2
"""Of the keys and values in the folder; a copy with another layout is thrown away."""

_STATE = b"s"
_OFFSET, _IDENTITY = b"moffset", b"midentity"


class RocksStore:
    """Entries of one task in a folder of their own.

    Parameters
    ----------
    folder : Path
    state_format : StateFormat
    identity : str
        Of what this is a copy; a folder that says otherwise is emptied.
    memory : RocksMemory
        Shared by the stores of a worker.

    Raises
    ------
    OSError
        The folder cannot be used: no room, no permission, or somebody else has it open.
    """

    def __init__(
        self,
        folder: Path,
        state_format: StateFormat,
        *,
        identity: str,
        memory: RocksMemory,
    ) -> None:
        self._folder = folder
        self._format = state_format
        self._identity = msgspec.json.encode({"layout": LAYOUT, "copy_of": identity})
        self._options = options(memory)
        self._write_options = write_options()
        self._db: Rdict | None = None
        self._dues = DueIndex()
        self.offset = 0
        self._open()

    def get(self, key: bytes) -> bytes | None:
        """Return an entry."""
        (value,) = self.get_many([key])
        return value

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return entries in the order of `keys`; together they are found sooner than one by one."""
        values: list[bytes | None]
        with self._failures():
            values = self._rocks.get([_STATE + key for key in keys]) or []
        for key, value in zip(keys, values, strict=True):
            if value is not None and (due_ms := self._format.due_ms(key, value)) is not None:
                self._dues.know(key, due_ms)
        return values

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Return all entries."""
        with self._failures():
            for key, value in self._scan(_STATE, begin=_STATE):
                yield key[len(_STATE) :], value

    def next_due_ms(self, *, skip: Container[bytes]) -> int | None:
        """Return when the next entry is due, or a time before it."""
        with self._failures():
            return self._dues.next_ms(self._places(), skip=skip)

    def take_due(self, *, skip: Container[bytes], until_ms: int, entries_max: int) -> list[bytes]:
        """Return the keys of entries due up to `until_ms`, earliest first."""
        batch = WriteBatch(raw_mode=True)
        with self._failures():
            keys = self._dues.take(
                self._places(),
                batch,
                due_of=self._due_ms,
                skip=skip,
                until_ms=until_ms,
                entries_max=entries_max,
            )
            if not batch.is_empty():
                self._rocks.write(batch, self._write_options)
        return keys

    def apply(self, changes: Changes, *, offset: int) -> None:
        """Take changes and the offset after them, both or neither."""
        batch = WriteBatch(raw_mode=True)
        with self._failures():
            for key in sorted(changes):  # RocksDB takes them quicker so
                self._change(batch, key, changes[key])
            batch.put(_OFFSET, b"%d" % offset)
            self._rocks.write(batch, self._write_options)
        self.offset = offset

    def clear(self) -> None:
        """Throw everything away."""
        self._begin_anew(None)

    def close(self) -> None:
        """Write what is in memory to the folder, and let go of it."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @property
    def cache_bytes(self) -> int:
        """Size of the cache that it uses."""
        return int(self._rocks.property_int_value("rocksdb.block-cache-capacity") or 0)

    @property
    def _rocks(self) -> Rdict:
        assert self._db is not None, "a closed store is not used"
        return self._db

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        is_new = not any(self._folder.iterdir())
        try:
            self._db = self._rdict()
            if is_new:
                self._db[_IDENTITY] = self._identity
            if self._db.get(_IDENTITY) == self._identity:
                self.offset = int(self._db.get(_OFFSET) or b"0")
                return
            reason = "it is no copy of this changelog"
        except Exception as error:  # rocksdict raises nothing narrower
            if _is_outside(error):
                raise OSError(f"the state folder {self._folder}: {error}") from error
            reason = str(error)
        self._begin_anew(reason)

    def _begin_anew(self, reason: str | None) -> None:
        if reason is not None:
            logger.warning("%s is read anew from the changelog: %s", self._folder, reason)
        self.close()
        shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True)
        try:
            self._db = self._rdict()
            self._db[_IDENTITY] = self._identity
        except Exception as error:
            raise OSError(f"the state folder {self._folder}: {error}") from error
        self._dues.clear()
        self.offset = 0

    def _rdict(self) -> Rdict:
        # An existing folder's own options would hold for a family that is not named here.
        return Rdict(str(self._folder), self._options, column_families={"default": self._options})

    def _change(self, batch: WriteBatch, key: bytes, value: bytes | None) -> None:
        if value is None:
            self._dues.change(batch, key, None)
            batch.delete(_STATE + key)
        else:
            self._dues.change(batch, key, self._format.due_ms(key, value))
            batch.put(_STATE + key, value)

    def _places(self) -> Iterator[bytes]:
        # A generator expression, compiled, would be a list of all.
        for place, _ in self._scan(due_index.KIND, begin=self._dues.first):
            yield place

    def _due_ms(self, key: bytes) -> int | None:
        value = self._rocks.get(_STATE + key)
        return None if value is None else self._format.due_ms(key, value)

    def _scan(self, kind: bytes, *, begin: bytes) -> Iterator[tuple[bytes, bytes]]:
        iterator: Any = self._rocks.iter()
        try:
            iterator.seek(begin)
            while iterator.valid() and (key := iterator.key()).startswith(kind):
                yield key, iterator.value()
                iterator.next()
            iterator.status()
        finally:
            del iterator  # one that lives keeps the folder open

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (AssertionError, GeneratorExit):
            raise
        except Exception as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> OSError | StoreDoubtful:
        """Tell a folder without room from a copy that is damaged, which is thrown away here."""
        if _is_outside(error):
            return OSError(f"the state folder {self._folder}: {error}")
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return StoreDoubtful(
            f"{self._folder} is damaged and was thrown away; start the worker again, it reads "
            f"the state from the changelog: {error}"
        )


class RocksStores:
    """Copies on disk, each in a folder of its own below the worker's.

    Parameters
    ----------
    folder : Path
        The worker's own; see `state_folder.claim`.
    memory_bytes_max, write_buffer_bytes_max : int
        For all copies together; see `RocksMemory`.
    """

    def __init__(self, folder: Path, *, memory_bytes_max: int, write_buffer_bytes_max: int) -> None:
        self._folder = folder
        self._memory = RocksMemory(
            bytes_max=memory_bytes_max, write_buffer_bytes_max=write_buffer_bytes_max
        )

    def open(self, name: str, state_format: StateFormat, *, changelog_id: str) -> RocksStore:
        """Open the copy of a task's state, empty if there is none to trust."""
        return RocksStore(
            self._folder / name,
            state_format,
            identity=f"{name} of changelog {changelog_id}",
            memory=self._memory,
        )

    def held(self) -> Iterator[str]:
        """Return the names of tasks whose state is here."""
        for each in self._folder.glob("*/CURRENT"):
            yield each.parent.name

    def retain(self, names: set[str]) -> None:
        """Keep all: they are on disk, and may be wanted again."""


def _is_outside(error: Exception) -> bool:
    """Whether the disk or another process is at fault, not what the folder holds."""
    text = str(error)
    return isinstance(error, OSError) or any(
        each in text
        for each in (
            "lock file",
            "lock hold",
            "No space",
            "Permission",
            "Read-only",
            "quota",
            "File too large",
        )
    )
