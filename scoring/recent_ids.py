"""The last event ids of a lead, as one string of digests: an event comes twice, and counts once.

Whole ids would be most of a state, and comparing them most of a fold. Of the 64 ids that a lead
remembers at most, the chance that a new id has the digest of another is 64 / 2**64 an event: once
in 800,000 years at a billion events a day.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

DIGEST_BYTES: Final = 8

_BLANK: Final = blake2b(digest_size=DIGEST_BYTES)


def digest(event_id: str) -> bytes:
    """Return what is kept of an event's id: BLAKE2b (RFC 7693), `DIGEST_BYTES` long, of its UTF-8.

    Nobody finds two ids with one digest but by trying billions, and then for a lead of their own.
    """
    hashed = _BLANK.copy()  # in two thirds of the time that a new one takes
    hashed.update(event_id.encode())
    return hashed.digest()


def holds(recent_ids: bytes, id_digest: bytes) -> bool:
    """Whether an id is among the last."""
    if id_digest not in recent_ids:  # which is almost always so, and quicker than to find
        return False
    at = recent_ids.find(id_digest)
    while at % DIGEST_BYTES and at >= 0:  # across two of them
        at = recent_ids.find(id_digest, at + 1)
    return at >= 0


def recent_ids_of(event_ids: Iterable[str]) -> bytes:
    """Return the digests of ids, the oldest first."""
    return b"".join(map(digest, event_ids))
