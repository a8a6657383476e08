"""CloudEvents headers in the Kafka protocol binding's binary mode."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from schemas.contracts import Contract

Headers = tuple[tuple[str, bytes | None], ...]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (its zone is written by hand)
_YEAR_9999_MS = 253_402_300_799_999
"""RFC 3339 ends here; a later time is left out, as `ce_time` is optional."""


def tier_change_id(lead_id: str, seq: int) -> str:
    """Return the id of a tier change: the same one has the same id, whoever sends it."""
    return f"{lead_id}:{seq}"


def headers(
    contract: Contract,
    *,
    event_id: str,
    subject: str,
    time_ms: int,
    source: str = "/leadvelocity",
    incoming: Iterable[tuple[str, bytes | None]] = (),
) -> Headers:
    """Return the headers of an output record.

    Parameters
    ----------
    event_id : str
        Unique within `source`.
    subject : str
        What the record is about: the lead.
    time_ms : int
        When it happened, UTC epoch milliseconds.
    source : str
        Who says so, as a URI reference.
    incoming : iterable of (str, bytes or None)
        Headers of the record that caused it; its first `traceparent` is carried on.
    """
    result: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", contract.name.encode()),
        ("ce_source", source.encode()),
        ("ce_subject", subject.encode()),
        ("content-type", b"application/avro"),
    ]
    if 0 <= time_ms <= _YEAR_9999_MS:
        result.append(("ce_time", _rfc3339(time_ms)))
    result.extend([each for each in incoming if each[0] == "traceparent"][:1])
    return tuple(result)


def _rfc3339(time_ms: int) -> bytes:
    seconds, ms = divmod(time_ms, 1_000)
    moment = (_EPOCH + timedelta(seconds=seconds)).isoformat()
    return f"{moment}.{ms:03d}Z".encode()
