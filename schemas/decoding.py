"""Bytes to records: strict, bounded, and with the schema that the writer used."""

import time
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any, cast

import fastavro
from fastavro.schema import to_parsing_canonical_form

from schemas import framing, writer_schema
from schemas.avro_reader import AvroReader, Reader
from schemas.contracts import Contract
from schemas.dead_letter_reason import DeadLetterReason, Undecodable

_NO_DEFAULT = object()


class WriterSchemas:
    """The schemas that records were written with, by their ids in the registry.

    What is known stays: an id never changes its meaning. What the registry did not know is asked
    for again after a while, as somebody may have registered it since.

    Parameters
    ----------
    refusal_s : float
        How long an id that the registry does not know is not asked for again.
    refusals_max : int
        How many such ids are remembered; the oldest is forgotten first.
    allowed : frozenset of str or None
        Fingerprints (SHA-256 of the parsing canonical form, in hex) of the schemas that are
        decoded; None: any that fits its topic's contract.
    clock : callable
        Seconds that only grow.
    """

    def __init__(
        self,
        *,
        refusal_s: float = 30.0,
        refusals_max: int = 10_000,
        limits: writer_schema.SchemaLimits = writer_schema.DEFAULT_LIMITS,
        allowed: frozenset[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._refusal_s = refusal_s
        self._refusals_max = refusals_max
        self._limits = limits
        self._allowed = allowed
        self._clock = clock
        self._known: dict[int, dict[str, Any]] = {}
        self._unsafe: dict[int, str] = {}
        self._refused: dict[int, tuple[float, str]] = {}

    def unknown_ids(self, values: Iterable[bytes | None]) -> set[int]:
        """Return the schema ids in `values` that should be asked for before they are decoded."""
        ids: set[int | None] = set()
        for value in values:
            if value:
                ids.add(framing.schema_id(value))
        unknown = ids - self._known.keys() - self._unsafe.keys()
        return {each for each in unknown if each is not None and not self._is_refused(each)}

    def learn(self, schema_id: int, text: str) -> None:
        """Take the schema of an id; one that could harm is remembered as such, for good."""
        self._refused.pop(schema_id, None)
        try:
            self._known[schema_id] = self._allowed_only(writer_schema.parse(text, self._limits))
        except writer_schema.UnsafeSchema as error:
            self._unsafe[schema_id] = str(error)

    def refuse(self, schema_id: int, reason: str) -> None:
        """Remember for a while that the registry has no schema of this id, and what it said."""
        self._refused.pop(schema_id, None)
        while len(self._refused) >= self._refusals_max:
            del self._refused[next(iter(self._refused))]
        self._refused[schema_id] = (self._clock() + self._refusal_s, reason)

    def schema(self, schema_id: int) -> dict[str, Any]:
        """Return a learnt schema.

        Raises
        ------
        Undecodable
            When it is unknown, or was found harmful.
        """
        known = self._known.get(schema_id)
        if known is not None:
            return known
        if schema_id in self._unsafe:
            text = f"schema {schema_id}: {self._unsafe[schema_id]}"
            raise Undecodable(DeadLetterReason.WRONG_SCHEMA, text)
        _, reason = self._refused.get(schema_id, (0, "nobody asked for it"))
        raise Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, f"schema {schema_id}: {reason}")

    def _allowed_only(self, schema: dict[str, Any]) -> dict[str, Any]:
        if self._allowed is not None:
            fingerprint = writer_schema.fingerprint(schema)
            if fingerprint not in self._allowed:
                raise writer_schema.UnsafeSchema(
                    f"its fingerprint {fingerprint} is not among the allowed ones "
                    "(LEADVELOCITY_REGISTRY__ALLOWED_FINGERPRINTS)"
                )
        return schema

    def _is_refused(self, schema_id: int) -> bool:
        until_s, _ = self._refused.get(schema_id, (-1.0, ""))
        return self._clock() < until_s


class Decoder:
    """Reads records of one contract, whichever version of it their writer used.

    Parameters
    ----------
    schemas : WriterSchemas
        Shared by decoders.
    value_bytes_max : int
        Longer values are refused unread.
    """

    def __init__(
        self, contract: Contract, schemas: WriterSchemas, *, value_bytes_max: int = 1 << 20
    ) -> None:
        self._contract = contract
        self._schemas = schemas
        self._value_bytes_max = value_bytes_max
        self._own = writer_schema.parse(contract.text)
        self._readers: dict[int | None, Reader] = {}

    def decode(self, value: bytes | None) -> dict[str, object]:
        """Decode one value; the record names every field of the contract.

        Raises
        ------
        Undecodable
            For whatever else a sender may have written.
        """
        if not value:
            raise Undecodable(DeadLetterReason.EMPTY_VALUE, "the record has no value")
        if len(value) > self._value_bytes_max:
            text = f"{len(value)} bytes, at most {self._value_bytes_max} are read"
            raise Undecodable(DeadLetterReason.TOO_LARGE, text)
        schema_id = framing.schema_id(value)
        reader = self._readers.get(schema_id)
        if reader is None:
            reader = self._learn(schema_id)
        return reader.read(value)

    def _learn(self, schema_id: int | None) -> Reader:
        if schema_id is None:
            text = (
                "does not begin with a zero byte and a schema id: send it with an Avro serializer"
            )
            raise Undecodable(DeadLetterReason.BAD_FRAMING, text)
        try:
            reader = _reader(self._schemas.schema(schema_id), self._own)
        except _Misfit as error:
            text = f"schema {schema_id} is no {self._contract.name}: {error}"
            raise Undecodable(DeadLetterReason.WRONG_SCHEMA, text) from error
        self._readers[schema_id] = reader
        return reader


class _Misfit(ValueError):
    """A writer schema that cannot stand for the contract."""


def _reader(writer: dict[str, Any], own: dict[str, Any]) -> Reader:
    if writer["name"] != own["name"]:
        raise _Misfit(f"it is {writer['name']}")
    theirs = {each["name"]: each for each in writer["fields"]}
    ours = {each["name"]: each for each in own["fields"]}
    defaults = {name: each.get("default", _NO_DEFAULT) for name, each in ours.items()}
    missing = [name for name in ours.keys() - theirs.keys() if defaults[name] is _NO_DEFAULT]
    if missing:
        raise _Misfit(f"it lacks {', '.join(sorted(missing))}")
    return AvroReader(writer, defaults) if is_alike(writer, own) else _Resolving(writer, own)


def is_alike(writer: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Tell whether all fields that two parsed record schemas both have are of the same types."""
    theirs = {each["name"]: _shape(each, writer) for each in writer["fields"]}
    return all(theirs.get(each["name"]) in (None, _shape(each, own)) for each in own["fields"])


def _shape(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    parsed = fastavro.parse_schema(field["type"], named_schemas=dict(schema["__named_schemas"]))
    return to_parsing_canonical_form(parsed)


class _Resolving(Reader):
    """Reads, by the rules of Avro, fields that have other types; slowly."""

    def __init__(self, writer: dict[str, Any], own: dict[str, Any]) -> None:
        self._writer = writer
        self._own = own
        self._check = AvroReader(writer, {})

    def read(self, value: bytes) -> dict[str, object]:
        stream = BytesIO(value)
        stream.seek(framing.HEAD_BYTES)
        try:
            record: Any = fastavro.schemaless_reader(stream, self._writer, self._own)
        except fastavro.read.SchemaResolutionError as error:
            raise Undecodable(DeadLetterReason.WRONG_SCHEMA, str(error)) from error
        except MemoryError:
            raise
        except Exception as error:  # whatever it stumbles over, the value is at fault
            self._check.read(value)
            text = f"no {self._own['name']}: {type(error).__name__} {error}"
            raise Undecodable(DeadLetterReason.BAD_VALUE, text) from error
        self._check.read(value)
        return cast("dict[str, object]", record)
