"""Reading values, hostile ones too, and writing them."""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import fastavro
import pytest

from schemas import framing
from schemas.contracts import contract
from schemas.dead_letter_reason import DeadLetterReason as Reason
from schemas.dead_letter_reason import Undecodable
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder, Unencodable
from schemas.topics import FORM_FILLS, SCORED_EVENTS, TIER_CHANGES, WEBSITE_VISITS

SCHEMA_ID = 7
OTHER_ID = 8

VISIT: dict[str, object] = {
    "event_id": "e-1",
    "lead_id": "lead-1",
    "occurred_at": 1_700_000_000_123,
    "url": "/pricing",
    "referrer": None,
    "duration_s": 2.5,
    "user_agent": None,
    "campaign": None,
    "channel": None,
    "machine": None,
}
FILL: dict[str, object] = {
    "event_id": "e-2",
    "lead_id": "lead-1",
    "occurred_at": 1_700_000_000_123,
    "form_id": "demo",
    "fields": {"company": "Zoë & Sons", "seats": 12, "share": 0.5, "trial": True, "vat": None},
    "user_agent": None,
    "campaign": None,
    "channel": None,
    "machine": False,
}


def decoder(topic: str = WEBSITE_VISITS, **schemas_by_name: Any) -> Decoder:
    schemas = WriterSchemas()
    schemas.learn(SCHEMA_ID, contract(topic).text)
    if "other" in schemas_by_name:
        schemas.learn(OTHER_ID, json.dumps(schemas_by_name["other"]))
    return Decoder(contract(topic), schemas)


def encoded(record: dict[str, object], topic: str = WEBSITE_VISITS) -> bytes:
    return Encoder(contract(topic), SCHEMA_ID).encode(record)


def written(schema: Any, record: dict[str, Any]) -> bytes:
    """A value as somebody with another schema writes it."""
    stream = io.BytesIO()
    stream.write(framing.head(OTHER_ID))
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
    return stream.getvalue()


def version(topic: str, change: Callable[[list[dict[str, Any]]], Any]) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(contract(topic).text)
    change(schema["fields"])
    return schema


def reason(decoder: Decoder, value: bytes | None) -> Reason:
    with pytest.raises(Undecodable) as caught:
        decoder.decode(value)
    assert str(caught.value) == f"{caught.value.reason}: {caught.value.text}"
    return caught.value.reason


def varint(number: int) -> bytes:
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def test_round_trip() -> None:
    """What was encoded is decoded as it was, times as whole milliseconds."""
    assert decoder().decode(encoded(VISIT)) == VISIT
    assert decoder(FORM_FILLS).decode(encoded(FILL, FORM_FILLS)) == FILL


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Reason.EMPTY_VALUE),
        (b"", Reason.EMPTY_VALUE),
        (b"\x00", Reason.BAD_FRAMING),
        (b"\x00\x00\x00\x00", Reason.BAD_FRAMING),
        (b'{"event_id": "e"}', Reason.BAD_FRAMING),
        (b"\x00\xff\xff\xff\xff", Reason.BAD_FRAMING),
        (b"\x00\x00\x00\x00\x09abc", Reason.UNKNOWN_SCHEMA),
        (b"\x00\x00\x00\x00\x07", Reason.TRUNCATED),
        (framing.head(SCHEMA_ID) + bytes(1 << 20), Reason.TOO_LARGE),
    ],
)
def test_refused(value: bytes | None, expected: Reason) -> None:
    """A value that is no framed record of a known schema is refused with its reason."""
    assert reason(decoder(), value) is expected


def test_truncated_anywhere() -> None:
    """A value that ends too early is refused, wherever it was cut."""
    value = encoded(FILL, FORM_FILLS)
    for length in range(framing.HEAD_BYTES, len(value)):
        assert reason(decoder(FORM_FILLS), value[:length]) is Reason.TRUNCATED


def test_trailing_byte() -> None:
    """A value with a byte too many is refused: it is not what its schema says."""
    assert reason(decoder(), encoded(VISIT) + b"\x00") is Reason.TRAILING_BYTES


def test_invalid_utf8() -> None:
    """A text that is not UTF-8 is refused."""
    value = encoded(VISIT).replace(b"lead-1", b"lead-\xff")
    assert reason(decoder(), value) is Reason.BAD_VALUE


@pytest.mark.parametrize("branch", [-1, -2, -3, 2, 5, 2**40, -(2**40)])
def test_union_branch_out_of_range(branch: int) -> None:
    """A union branch that the schema does not have is refused, a negative one too."""
    value = encoded(VISIT)
    start = value.index(b"/pricing") - 2
    bad = value[:start] + varint(branch) + value[start + 1 :]
    assert reason(decoder(), bad) is Reason.BAD_VALUE


@pytest.mark.parametrize("index", [-1, 2])
def test_enum_symbol_out_of_range(index: int) -> None:
    """An enum symbol that the schema does not have is refused, a negative one too."""
    enum = {"type": "enum", "name": "Mood", "symbols": ["GOOD", "BAD"]}
    other = version(WEBSITE_VISITS, lambda fields: fields.append({"name": "mood", "type": enum}))
    good = written(other, VISIT | {"mood": "BAD"})
    assert decoder(other=other).decode(good) == VISIT
    bad = good[:-1] + varint(index)
    assert reason(decoder(other=other), bad) is Reason.BAD_VALUE


@pytest.mark.parametrize("count", [2**40, -(2**40), -(2**63), 2**62])
def test_endless_map(count: int) -> None:
    """A map that claims to have endless entries is refused at once."""
    empty = encoded(FILL | {"fields": {}}, FORM_FILLS)
    start = empty.index(b"demo") + len(b"demo")
    bad = empty[:start] + varint(count) + empty[start + 1 :]
    began = time.process_time()
    assert reason(decoder(FORM_FILLS), bad) in (Reason.TRUNCATED, Reason.BAD_VALUE)
    assert time.process_time() - began < 1


def test_unsafe_writer_schema() -> None:
    """A value written with a schema that could exhaust us is refused before it is read."""
    nulls = {"name": "nulls", "type": {"type": "array", "items": "null"}}
    other = version(WEBSITE_VISITS, lambda fields: fields.append(nulls))
    value = written(other, VISIT | {"nulls": []})  # a harmless one, should the guard ever fail
    assert reason(decoder(other=other), value) is Reason.WRONG_SCHEMA


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.append({"name": "tenant", "type": ["null", "string"]}),
        lambda fields: fields.reverse(),
        lambda fields: fields.pop(3),
        lambda fields: [fields.pop(3), fields.pop(-1)],
    ],
    ids=["a field more", "another order", "a field less", "two less"],
)
def test_other_version(change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """A record of another version of the contract is read: unknown out, missing at its default."""
    other = version(WEBSITE_VISITS, change)
    known = {each["name"] for each in other["fields"]}
    expected = {name: value if name in known else None for name, value in VISIT.items()}
    value = written(other, VISIT | {"tenant": "t"})
    assert decoder(other=other).decode(value) == expected


def test_default_is_fresh() -> None:
    """Two records that lack a map do not share one."""
    other = version(FORM_FILLS, lambda fields: fields.pop(4))
    value = written(other, FILL)
    reads = decoder(FORM_FILLS, other=other)
    first, second = reads.decode(value), reads.decode(value)
    assert first["fields"] == second["fields"] == {}
    assert first["fields"] is not second["fields"]


def test_promoted_type() -> None:
    """Where Avro allows another type in another version, its rules apply."""
    other = version(WEBSITE_VISITS, lambda fields: fields[0].update(type="bytes"))
    value = written(other, VISIT | {"event_id": b"e-1"})
    assert decoder(other=other).decode(value) == VISIT


def test_nested_record_of_other_version() -> None:
    """A record within a record may be of another version too."""
    other = json.loads(contract(TIER_CHANGES).text)
    inner = next(each for each in other["fields"] if each["name"] == "contributions")
    inner["type"]["items"]["fields"].append({"name": "share", "type": "double"})
    one = {"signal": "pricing", "count": 1.0, "points": 8.0}
    record: dict[str, Any] = {
        each["name"]: None if isinstance(each["type"], list) else "" for each in other["fields"]
    }
    numbers = ("seq", "from_rank", "to_rank", "occurred_at", "emitted_at", "dwell_ms")
    scores = ("score", "engagement", "fit", "purchase", "velocity", "momentum")
    record |= dict.fromkeys(numbers, 3) | dict.fromkeys(scores, 0.5)
    value = written(other, record | {"contributions": [one | {"share": 0.25}]})
    expected = record | {"contributions": [one]}
    assert decoder(TIER_CHANGES, other=other).decode(value) == expected


@pytest.mark.parametrize(
    "other",
    [
        version(SCORED_EVENTS, lambda _: None),
        version(WEBSITE_VISITS, lambda _: None) | {"name": "PageView"},
        version(WEBSITE_VISITS, lambda fields: fields.pop(1)),
        version(WEBSITE_VISITS, lambda fields: fields.pop(2)),
        version(WEBSITE_VISITS, lambda fields: fields[2].update(type="string")),
    ],
    ids=["another record", "another name", "no lead_id", "no occurred_at", "occurred_at is a text"],
)
def test_wrong_schema(other: dict[str, Any]) -> None:
    """A value whose schema cannot stand for the contract is refused, whatever its bytes are."""
    reads = decoder(other=other)
    for rest in (b"", b"\x02a" * 30):
        value = framing.head(OTHER_ID) + rest
        assert reason(reads, value) in (Reason.WRONG_SCHEMA, Reason.TRUNCATED)
    assert reason(reads, framing.head(OTHER_ID) + b"\x02a" * 30) is Reason.WRONG_SCHEMA


def test_unknown_ids() -> None:
    """Only ids that were neither learnt nor refused are to be asked for, each once."""
    schemas = WriterSchemas()
    schemas.learn(1, contract(WEBSITE_VISITS).text)
    schemas.learn(2, "no schema")
    schemas.refuse(3, "not found")
    ids = (1, 2, 3, 4, 4, 5, 2**31)
    values = [None, b"", b"\x00", b"json", *(framing.head(each) + b"x" for each in ids)]
    assert schemas.unknown_ids(values) == {4, 5}


def test_refusal_ends() -> None:
    """An id that the registry did not know is asked for again after a while, and then learnt."""
    now_s = 100.0
    schemas = WriterSchemas(refusal_s=30, clock=lambda: now_s)
    reads = Decoder(contract(WEBSITE_VISITS), schemas)
    value = encoded(VISIT)
    schemas.refuse(SCHEMA_ID, "not found")
    assert not schemas.unknown_ids([value])
    now_s += 31
    assert schemas.unknown_ids([value]) == {SCHEMA_ID}
    assert reason(reads, value) is Reason.UNKNOWN_SCHEMA
    schemas.learn(SCHEMA_ID, contract(WEBSITE_VISITS).text)
    assert reads.decode(value) == VISIT


def test_refusals_are_bounded() -> None:
    """Ever new unknown ids do not fill the memory; the oldest are asked for again."""
    schemas = WriterSchemas(refusals_max=3)
    for schema_id in range(10):
        schemas.refuse(schema_id, "not found")
    values = [framing.head(schema_id) for schema_id in range(10)]
    assert schemas.unknown_ids(values) == set(range(7))


@pytest.mark.parametrize(
    "record",
    [
        {name: value for name, value in VISIT.items() if name != "url"},
        VISIT | {"colour": "red"},
        VISIT | {"occurred_at": "now"},
        VISIT | {"occurred_at": 2**63},
        VISIT | {"lead_id": None},
        VISIT | {"lead_id": "\ud800"},
        VISIT | {"url": 5},
    ],
)
def test_unencodable(record: dict[str, object]) -> None:
    """A record that does not fit its contract is not written."""
    with pytest.raises(Unencodable, match="WebsiteVisit"):
        encoded(record)
