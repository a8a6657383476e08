"""The shape of a model file: its keys, and what each may hold."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas.model_file.durations import UNITS_MS, Duration, HalfLife
from schemas.model_file.expression import Expression, ExpressionError
from scoring.condition import fields_match
from scoring.event import EventType
from scoring.model import Condition

POINTS_MAX = 1_000_000.0
"""Size of points, caps and thresholds; what is far larger drowns the rest in rounding."""
NAME_CHARS_MAX = 100
GLOB_CHARS_MAX = 500
RECENT_IDS_MAX = 10_000

_MAPPING_CURE = 'write fields and what they must be, like {path: "/pricing*"}, or a CEL expression'


def _condition(value: object) -> Condition:
    """Read a `when`."""
    if isinstance(value, str):
        try:
            return Expression(value)
        except ExpressionError as error:
            raise _problem(
                f"no CEL expression: {error}", 'write one like "profile.company_size >= 200"'
            ) from error
    if not isinstance(value, dict):
        raise _problem("neither a mapping nor an expression", _MAPPING_CURE)
    if not value:
        raise _problem("an empty mapping asks for nothing", "leave `when` out, or name a field")
    for name, wanted in value.items():
        _check_field(name, wanted)
    return fields_match(value)


def _check_field(name: str, wanted: object) -> None:
    if not name.removeprefix("profile."):
        raise _problem("a field without a name", _MAPPING_CURE)
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values:
        raise _problem(f"`{name}` has an empty list", "list what the field may be")
    for value in values:
        if not isinstance(value, str | int | float):
            raise _problem(
                f"`{name}` has a value that is neither text, number, true nor false",
                "write a value, a glob, or a list of them; what is missing never matches",
            )
        if isinstance(value, str) and len(value) > GLOB_CHARS_MAX:
            raise _problem(
                f"`{name}` has a glob of {len(value)} characters",
                f"use at most {GLOB_CHARS_MAX}",
            )


def _problem(message: str, cure: str) -> PydanticCustomError:
    return PydanticCustomError("when", "{text}", {"text": message, "cure": cure})


_SCALAR_SCHEMA = {"type": ["string", "number", "boolean"]}
When = Annotated[
    Condition,
    PlainValidator(_condition),
    WithJsonSchema(
        {
            "description": "Fields and what they must be (all must match), or a CEL expression",
            "anyOf": [
                {"type": "string", "maxLength": 1000},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {
                        "anyOf": [
                            _SCALAR_SCHEMA,
                            {"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1},
                        ]
                    },
                },
            ],
        }
    ),
]
Points = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-POINTS_MAX, le=POINTS_MAX)]
Cap = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=POINTS_MAX)]
Name = Annotated[
    str, Field(strict=True, min_length=1, max_length=NAME_CHARS_MAX, pattern=r"^\S(.*\S)?$")
]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class SignalShape(_Shape):
    """Which events count, and how much."""

    name: Name
    on: Literal["website_visit", "email_open", "form_fill"]
    when: When | None = Field(
        default=None, description="Leave it out to take every event of that type"
    )
    points: Points = Field(description="Worth of one event by a person; negative for a penalty")
    half_life: HalfLife | None = Field(default=None, description="Default: that of the file")
    cap: Cap | None = Field(default=None, description="The most that this signal adds")
    group: Name | None = Field(default=None, description="Shares the cap of this group")

    @property
    def event_type(self) -> EventType:
        """The type as the core names it."""
        return EventType(self.on)


class GroupShape(_Shape):
    """Signals that share a cap."""

    cap: Cap | None = Field(default=None, description="The most that the group adds")


class FitShape(_Shape):
    """Points for who the lead is; they do not decay."""

    when: When
    points: Points


class TierShape(_Shape):
    """A tier; the last one in the file is the lowest and has no thresholds."""

    name: Name
    enter: Points | None = Field(default=None, description="Entered at this score or above")
    exit: Points | None = Field(default=None, description="Left below this score")
    dwell: Duration = Field(
        default=0, description="Falls wait until the lead has been in it so long"
    )


class VelocityShape(_Shape):
    """Half-lives of the two rates behind velocity and momentum."""

    fast: HalfLife = Field(default=UNITS_MS["d"], json_schema_extra={"default": "1d"})
    slow: HalfLife = Field(default=14 * UNITS_MS["d"], json_schema_extra={"default": "14d"})


class MachineShape(_Shape):
    """Events flagged as a machine's."""

    weight: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)] = Field(
        description="What such an event still counts"
    )


class ModelShape(_Shape):
    """A scoring model."""

    model: Name
    half_life: HalfLife | None = Field(default=None, description="Of signals that name none")
    signals: Annotated[tuple[SignalShape, ...], Field(min_length=1)]
    groups: dict[Name, GroupShape | None] | None = None
    fit: tuple[FitShape, ...] | None = None
    tiers: Annotated[tuple[TierShape, ...], Field(min_length=1)] = Field(
        description="Hottest first"
    )
    velocity: VelocityShape | None = None
    machine: MachineShape | None = None
    recent_ids: Annotated[int, Field(strict=True, ge=1, le=RECENT_IDS_MAX)] = Field(
        default=64, description="Event ids a lead remembers, to know a double"
    )
