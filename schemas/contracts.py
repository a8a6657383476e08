"""The Avro contract of each topic; the `.avsc` files beside this one are the source of truth."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a topic's records look like.

    Parameters
    ----------
    subject : str
        The registry's name for it.
    name : str
        Full name of the record type.
    text : str
        The schema as its file has it.
    schema : mapping
        The same, read as JSON.
    """

    topic: str
    subject: str
    name: str
    text: str = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the fields, in the order of the wire."""
        return tuple(each["name"] for each in self.schema["fields"])


@cache
def contract(topic: str) -> Contract:
    """Return the contract of an input or output topic.

    Raises
    ------
    LookupError
        When the topic has none.
    """
    if topic not in INPUT_TOPICS + OUTPUT_TOPICS:
        known = ", ".join(INPUT_TOPICS + OUTPUT_TOPICS)
        raise LookupError(f"no contract for topic {topic!r}; there is one for: {known}")
    text = files("schemas").joinpath("avro", f"{topic}.avsc").read_text(encoding="utf-8")
    schema = json.loads(text)
    name = f"{schema['namespace']}.{schema['name']}"
    return Contract(topic=topic, subject=f"{topic}-value", name=name, text=text, schema=schema)
