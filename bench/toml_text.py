"""Settings as TOML."""

import json
from collections.abc import Mapping


def toml_text(sections: Mapping[str, Mapping[str, object]]) -> str:
    """Return sections of numbers, texts and truth values, which TOML writes as JSON does."""
    lines = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
