"""CloudEvents headers of output records."""

import pytest

from schemas.cloudevents import Headers, headers, tier_change_id
from schemas.contracts import contract
from schemas.topics import TIER_CHANGES


def tier_change_headers(time_ms: int, incoming: Headers = ()) -> dict[str, bytes]:
    result = headers(
        contract(TIER_CHANGES),
        event_id=tier_change_id("Zoë", 3),
        subject="Zoë",
        time_ms=time_ms,
        incoming=incoming,
    )
    names = [name for name, _ in result]
    assert len(names) == len(set(names))
    return {name: content for name, content in result if content is not None}


def test_headers() -> None:
    """A tier change carries the attributes that CloudEvents asks for, the same each time."""
    assert tier_change_headers(1_700_000_000_007) == {
        "ce_specversion": b"1.0",
        "ce_id": "Zoë:3".encode(),
        "ce_type": b"leadvelocity.TierChange",
        "ce_source": b"/leadvelocity",
        "ce_subject": "Zoë".encode(),
        "ce_time": b"2023-11-14T22:13:20.007Z",
        "content-type": b"application/avro",
    }


def test_traceparent() -> None:
    """The trace of the event that caused it is carried on; other headers are not."""
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    incoming = (("ce_id", b"theirs"), ("traceparent", trace), ("traceparent", b"another"))
    result = tier_change_headers(0, incoming)
    assert result["traceparent"] == trace
    assert result["ce_id"] == "Zoë:3".encode()


@pytest.mark.parametrize(
    ("time_ms", "expected"),
    [
        (0, b"1970-01-01T00:00:00.000Z"),
        (253_402_300_799_999, b"9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, None),
        (2**53 - 1, None),
        (-1, None),
    ],
)
def test_time(time_ms: int, expected: bytes | None) -> None:
    """A time that RFC 3339 cannot tell is left out."""
    assert tier_change_headers(time_ms).get("ce_time") == expected
