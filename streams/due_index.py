"""When entries on disk are due: places beside them, in the order of time.

A place is a key of kind ``d`` with nothing behind it: a time, then the entry's key. An entry that
is ever due has a place at its time or before it.

Each event of a lead puts the time off at which it cools. Its place does not follow: when its turn
comes, the entry's own time is read, and the place moves there. So a place is written for each time
that a lead might have cooled, not for each event.
"""

import struct
from collections.abc import Callable, Container, Iterable

from rocksdict import WriteBatch

KIND = b"d"

KNOWN_MAX = 20_000
"""Times of entries lately read or written that are known without reading."""

PAST_PLACES_MAX = 10_000
"""Places whose entry has another time that are put right in one stretch; a worker waits for it."""

_TIME = struct.Struct(">Q")
_SIGN = 1 << 63  # so that times before 1970 sort first
_HEAD_BYTES = len(KIND) + _TIME.size


class DueIndex:
    """What is known of the places of one store."""

    def __init__(self) -> None:
        self._known_ms: dict[bytes, int] = {}
        self._known_longer_ms: dict[bytes, int] = {}
        self._first = KIND

    @property
    def first(self) -> bytes:
        """No place is before it: RocksDB would step over those that are gone, one by one."""
        return self._first

    def clear(self) -> None:
        """Forget all places."""
        self._known_ms.clear()
        self._known_longer_ms.clear()
        self._first = KIND

    def know(self, key: bytes, due_ms: int) -> None:
        """Take note of the time of an entry that was read or written."""
        self._known_ms[key] = due_ms
        if len(self._known_ms) >= KNOWN_MAX // 2:
            self._known_ms, self._known_longer_ms = {}, self._known_ms

    def change(self, batch: WriteBatch, key: bytes, due_ms: int | None) -> None:
        """See to the place of an entry that is written with `batch`; None: it is never due."""
        known_longer_ms = self._known_longer_ms.pop(key, None)
        known_ms = self._known_ms.pop(key, known_longer_ms)
        if due_ms is None:
            return
        if known_ms is None or due_ms < known_ms:
            self._put(batch, key, due_ms)
        self.know(key, due_ms)

    def next_ms(self, places: Iterable[bytes], *, skip: Container[bytes]) -> int | None:
        """Return when the next entry is due, or a time before it.

        Parameters
        ----------
        places : iterable of bytes
            From the `first` on.
        skip : container of bytes
            Entries whose places mean nothing now.
        """
        for place in places:
            place_ms, key = _parts(place)
            if key not in skip:
                return place_ms
        return None

    def take(
        self,
        places: Iterable[bytes],
        batch: WriteBatch,
        *,
        due_of: Callable[[bytes], int | None],
        skip: Container[bytes],
        until_ms: int,
        entries_max: int,
    ) -> list[bytes]:
        """Return the keys of entries that are due, earliest first.

        It may be fewer than there are, while many places are to be put right.

        Parameters
        ----------
        places, skip
            As for `next_ms`.
        batch : WriteBatch
            Takes what is put right.
        due_of : callable
            Returns the time of an entry that is not to be skipped.
        until_ms : int
            Not those that are due later.
        entries_max : int
        """
        due: dict[bytes, int] = {}
        later: dict[bytes, int] = {}
        first: bytes | None = None
        past = 0
        for place in places:
            place_ms, key = _parts(place)
            if place_ms > until_ms or len(due) == entries_max or past == PAST_PLACES_MAX:
                first = first or place
                until_ms = min(until_ms, place_ms)
                break
            due_ms = place_ms if key in skip else due_of(key)
            if due_ms != place_ms:
                past += 1
                batch.delete(place)
                if due_ms is not None and due_ms > place_ms:
                    later[key] = due_ms
                continue
            first = first or place
            if key not in skip:
                due[key] = place_ms
        self._first = first or self._first
        for key, due_ms in later.items():
            self._put(batch, key, due_ms)
            if due_ms <= until_ms:
                due[key] = due_ms
        earliest = sorted([(due_ms, key) for key, due_ms in due.items()])
        return [key for _, key in earliest[:entries_max]]

    def _put(self, batch: WriteBatch, key: bytes, due_ms: int) -> None:
        place = KIND + _TIME.pack(due_ms + _SIGN) + key
        batch.put(place, b"")
        self._first = min(self._first, place)


def _parts(place: bytes) -> tuple[int, bytes]:
    return _TIME.unpack_from(place, len(KIND))[0] - _SIGN, place[_HEAD_BYTES:]
