"""Writes commits to a copy on disk until it is killed; each replaces every entry."""

import sys
from itertools import count
from pathlib import Path

from streams.rocks_store import RocksStores

WRITES_KEYS = tuple(b"key-%d" % number for number in range(40))


class DueFormat:
    """Entries that say when they are due before the first bar, or never: ``-``."""

    def check(self, key: bytes, value: bytes) -> None:
        if b"|" not in value:
            raise ValueError(value)

    def due_ms(self, key: bytes, value: bytes) -> int | None:
        due, _, _ = value.partition(b"|")
        return None if due == b"-" else int(due)


def written(offset: int) -> dict[bytes, bytes]:
    """Return all entries as they are at an offset."""
    if not offset:
        return {}
    return {
        key: b"%d|%d %s" % (offset + number, offset, b"x" * (offset % 50))
        for number, key in enumerate(WRITES_KEYS)
    }


def main(folder: Path) -> None:
    stores = RocksStores(folder, memory_bytes_max=1 << 20, write_buffer_bytes_max=256 << 10)
    store = stores.open("task-0", DueFormat(), changelog_id="one")
    for offset in count(store.offset + 1):
        store.apply(written(offset), offset=offset)
        sys.stdout.write(f"{offset}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
