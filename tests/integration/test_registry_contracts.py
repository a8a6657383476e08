"""Contracts in a real schema registry."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from leadvelocity.stack.endpoints import Endpoints
from schemas.contracts import Contract, contract
from schemas.decoding import Decoder, WriterSchemas
from schemas.encoding import Encoder
from schemas.registry import IncompatibleSchema, Registry, UnknownSchema
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS, WEBSITE_VISITS

pytestmark = pytest.mark.integration

VISIT: dict[str, Any] = {
    "event_id": "e-1",
    "lead_id": "Zoë",
    "occurred_at": 1_700_000_000_123,
    "url": "/pricing",
    "referrer": None,
    "duration_s": 2.5,
    "user_agent": None,
    "campaign": None,
    "channel": None,
    "machine": False,
}
SEGMENT = {"name": "segment", "type": ["null", "string"], "default": None}


@pytest.fixture
def registry(stack: Endpoints) -> Iterator[Registry]:
    with closing(Registry(stack.registry)) as registry:
        yield registry


def fresh(topic: str) -> Contract:
    """A contract under a subject of its own."""
    name = f"{topic}-{uuid.uuid4().hex}"
    return replace(contract(topic), topic=name, subject=f"{name}-value")


def changed(before: Contract, change: Callable[[list[dict[str, Any]]], Any]) -> Contract:
    schema = json.loads(before.text)
    change(schema["fields"])
    return replace(before, text=json.dumps(schema), schema=schema)


@pytest.mark.parametrize("topic", INPUT_TOPICS + OUTPUT_TOPICS)
def test_registered_once(registry: Registry, topic: str) -> None:
    """A contract gets one id, however often it is registered, and is found by it."""
    mine = fresh(topic)
    with pytest.raises(UnknownSchema, match="setup"):
        registry.id_of(mine)
    schema_id = registry.register(mine)
    assert registry.register(mine) == registry.id_of(mine) == schema_id
    assert json.loads(registry.schema(schema_id)) == mine.schema


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.append(SEGMENT),
        lambda fields: fields.pop(3),
        lambda fields: fields.reverse(),
    ],
    ids=["an optional field more", "an optional field less", "another order"],
)
def test_compatible(registry: Registry, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """A version that old and new can both read is taken, and our decoder reads it."""
    mine = fresh(WEBSITE_VISITS)
    registry.register(mine)
    other = changed(mine, change)
    schema_id = registry.register(other)
    schemas = WriterSchemas()
    schemas.learn(schema_id, registry.schema(schema_id))
    record = {name: VISIT.get(name) for name in other.field_names}
    expected = {name: record.get(name) for name in mine.field_names}
    assert Decoder(mine, schemas).decode(Encoder(other, schema_id).encode(record)) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.append({"name": "segment", "type": "string"}),
        lambda fields: fields.pop(1),
        lambda fields: fields[1].update(type="long"),
        lambda fields: fields[3].update(type=["null", "long"]),
        lambda fields: fields[1].update(name="lead"),
    ],
    ids=["a needed field more", "a needed field less", "another type", "another option", "renamed"],
)
def test_incompatible(registry: Registry, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """A version that somebody could not read is refused."""
    mine = fresh(WEBSITE_VISITS)
    registry.register(mine)
    with pytest.raises(IncompatibleSchema):
        registry.register(changed(mine, change))


def test_transitive(registry: Registry) -> None:
    """A version must fit all before it, not only the last."""
    mine = fresh(WEBSITE_VISITS)
    registry.register(changed(mine, lambda fields: fields.append(SEGMENT)))
    registry.register(mine)
    other_type = SEGMENT | {"type": ["null", "long"]}
    with pytest.raises(IncompatibleSchema):
        registry.register(changed(mine, lambda fields: fields.append(other_type)))


@pytest.mark.parametrize("schema_id", [0, 2**31 - 1])
def test_no_such_id(registry: Registry, schema_id: int) -> None:
    """An id that was never given is unknown for good, and no reason to wait."""
    with pytest.raises(UnknownSchema):
        registry.schema(schema_id)


def test_confluent_reads_ours_and_we_theirs(stack: Endpoints, registry: Registry) -> None:
    """Confluent's own serializer and deserializer understand us through the registry."""
    mine = fresh(WEBSITE_VISITS)
    schema_id = registry.register(mine)
    with closing(SchemaRegistryClient({"url": stack.registry})) as client:
        place = SerializationContext(mine.topic, MessageField.VALUE)
        at = datetime.fromtimestamp(VISIT["occurred_at"] / 1000, UTC)
        value = Encoder(mine, schema_id).encode(VISIT)
        read: Any = AvroDeserializer(client)(value, place)
        assert read == VISIT | {"occurred_at": at}
        write = AvroSerializer(client, mine.text, conf={"auto.register.schemas": False})
        assert write(VISIT, place) == value
    schemas = WriterSchemas()
    schemas.learn(schema_id, registry.schema(schema_id))
    assert Decoder(mine, schemas).decode(value) == VISIT
