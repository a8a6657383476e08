"""Reading a model file, and saying all that is wrong with it."""

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.model_file.build import build
from schemas.model_file.checks import check
from schemas.model_file.document import BYTES_MAX, Document, read_document
from schemas.model_file.problems import ModelError
from schemas.model_file.shape import (
    FitShape,
    GroupShape,
    MachineShape,
    ModelShape,
    SignalShape,
    TierShape,
    VelocityShape,
)
from scoring.model import Model

_SHAPES: dict[str, type[BaseModel]] = {
    "signals": SignalShape,
    "groups": GroupShape,
    "fit": FitShape,
    "tiers": TierShape,
    "velocity": VelocityShape,
    "machine": MachineShape,
}
_CURES = {
    "float_type": "write a plain number, like 8 or -2.5",
    "int_type": "write a whole number",
    "finite_number": "write a plain number, like 8 or -2.5",
    "string_type": "write text; put quotes around it if it looks like a number",
    "string_pattern_mismatch": "write a name without space around it",
    "too_short": "list at least one",
    "model_type": "write keys and values",
    "dict_type": "write keys and values",
    "tuple_type": "write a list",
}


def load(text: str, *, file_name: str, bytes_max: int = BYTES_MAX) -> Model:
    """Read a model file.

    Parameters
    ----------
    text : str
        YAML.
    file_name : str
        For messages.
    bytes_max : int
        Size of the text as UTF-8.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        With all that is wrong: line, path, message and cure.
    """
    document = read_document(text, bytes_max=bytes_max)
    shape = None
    if document.data is None:
        if not document.problems:
            document.report((), "the file is empty", "start with `model: NAME`")
    else:
        try:
            shape = ModelShape.model_validate(document.data)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                _report(document, details)
        check(document)
    if document.problems or shape is None:
        raise ModelError(file_name, tuple(document.problems))
    return build(shape)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of model files, for editors.

    Returns
    -------
    dict
        Draft 2020-12.
    """
    schema = ModelShape.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _report(document: Document, details: ErrorDetails) -> None:
    path, kind = details["loc"], details["type"]
    name = str(path[-1]) if path else ""
    context = details.get("ctx", {})
    if kind == "too_short" and details["input"]:
        return  # what is in the list is wrong, and told
    if kind == "missing":
        document.report(path, "is missing", f"add `{name}: …`")
    elif kind == "extra_forbidden":
        document.report(path, "there is no such key", _known_keys(path, name))
    elif kind == "literal_error":
        document.report(path, f"{details['input']!r:.60} is unknown", f"use {context['expected']}")
    else:
        message = details["msg"][:1].lower() + details["msg"][1:]
        cure = context.get("cure") or _CURES.get(kind, "use a value in that range")
        document.report(path, message, cure)


def _known_keys(path: tuple[str | int, ...], name: str) -> str:
    shape = _SHAPES[str(path[0])] if len(path) > 1 else ModelShape
    known = list(shape.model_fields)
    close = get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"use one of: {', '.join(known)}"
