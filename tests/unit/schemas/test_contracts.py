"""The Avro contracts themselves."""

import json
from typing import Any

import pytest

from schemas.contracts import contract
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS

TOPICS = INPUT_TOPICS + OUTPUT_TOPICS


def records(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for each in node for found in records(each)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "record" else []
    return own + [found for each in node.values() for found in records(each)]


@pytest.mark.parametrize("topic", TOPICS)
def test_documented(topic: str) -> None:
    """Every record and every field of every contract says what it is."""
    for record in records(contract(topic).schema):
        assert record["doc"]
        assert all(each["doc"] for each in record["fields"])


@pytest.mark.parametrize("topic", TOPICS)
def test_optional_fields_default_to_null(topic: str) -> None:
    """What may be null is null by default, so that a later version may leave it out."""
    for record in records(contract(topic).schema):
        for each in record["fields"]:
            if isinstance(each["type"], list):
                assert each["type"][0] == "null"
                assert each["default"] is None


@pytest.mark.parametrize("topic", TOPICS)
def test_subject(topic: str) -> None:
    """A contract is registered under its topic's name, as every Confluent client expects."""
    assert contract(topic).subject == f"{topic}-value"
    assert contract(topic).name.startswith("leadvelocity.")
    assert json.loads(contract(topic).text) == contract(topic).schema


def test_no_contract() -> None:
    """A topic without a contract is refused with the names of those that have one."""
    with pytest.raises(LookupError, match="website-visits"):
        contract("web-visits")
