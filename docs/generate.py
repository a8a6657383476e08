"""Writes docs/reference/ from what the product itself says: `python docs/generate.py`.

Each page says where its content comes from. `tests/unit/test_docs.py` fails when a page is old.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

import sinks.migrate
from leadvelocity.cli import app
from leadvelocity.settings import PREFIX, Settings, TopicSettings
from leadvelocity.topics import topics
from schemas.contracts import contract
from schemas.dead_letter_reason import DeadLetterReason
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS
from streams.settings import EngineSettings

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/generate.py from {source}; edit that, and run it again. -->"

CONTAINERS = {"array": "items", "map": "values"}
"""Where Avro says what a container holds."""

SETTINGS_SAY = {
    "kafka.bootstrap_servers": "`host:port` pairs, separated by commas; empty: the local stack's.",
    "kafka.security_protocol": "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.",
    "kafka.sasl_mechanism": "`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.",
    "kafka.username": "For SASL.",
    "kafka.password": "For SASL; never printed.",
    "kafka.ca_file": "Certificates to trust; empty: the system's.",
    "kafka.cert_file": "Certificate to show to the broker (mutual TLS); empty: none.",
    "kafka.key_file": "Its private key, without a passphrase; empty: it is in `cert_file` too.",
    "registry.url": "Address of the Confluent API; empty: the local stack's.",
    "registry.username": "For basic authentication.",
    "registry.password": "For basic authentication; never printed.",
    "registry.ca_file": "Certificates to trust; empty: the system's.",
    "registry.allowed_fingerprints": "Of the schemas that senders may write with, beside ours "
    "(SHA-256 of the parsing canonical form); empty: any that fits its topic's contract.",
    "clickhouse.host": "Empty: the local stack's.",
    "clickhouse.port": "Of the native protocol; servers commonly use 9440 with TLS.",
    "clickhouse.user": "Who writes and asks; `setup` needs the right to create tables and views.",
    "clickhouse.password": "Never printed.",
    "clickhouse.database": "Made by `setup` if it is not there.",
    "clickhouse.secure": "Use TLS.",
    "clickhouse.verify": "Check the server's certificate.",
    "clickhouse.ca_file": "Certificates to trust; empty: the system's.",
    "topics.partitions": "Of every topic: the number of tasks. It cannot be changed later.",
    "topics.replication_factor": "Of every topic that `setup` makes.",
    "topics.retention_days": "How long topics keep records; compacted ones keep the newest.",
    "model": "Scoring model (YAML); empty: the one that ships.",
    "state_dir": "A worker's own folder, with `engine.store` rocksdb; empty: each worker takes a "
    "free numbered one in `state/` of `directory`.",
    "directory": "Folder of the local stack.",
}


def pages() -> dict[str, str]:
    """Return each generated page by its file name."""
    return {
        "topics-and-schemas.md": "\n".join(_topics_page()),
        "settings.md": "\n".join(_settings_page()),
        "tables.md": "\n".join(_tables_page()),
        "commands.md": "\n".join(_commands_page()),
    }


def _topics_page() -> Iterator[str]:
    yield "# Topics and schemas"
    yield MADE.format(source="leadvelocity/topics.py and schemas/avro")
    yield ""
    yield "Every topic has the same number of partitions. Keys are the lead id as UTF-8, values"
    yield "are Avro in Confluent framing (a zero byte, four bytes of schema id, the record)."
    yield "Senders should partition by Kafka's murmur2; an event elsewhere is rerouted once."
    yield "Readers of output topics set `isolation.level=read_committed`. Compatibility of each"
    yield "subject in the registry is `FULL_TRANSITIVE`."
    yield ""
    yield "| topic | direction | cleanup | settings |"
    yield "|---|---|---|---|"
    for topic in topics(EngineSettings().app_id):
        held = ", ".join(f"`{name}={value}`" for name, value in sorted(topic.settings.items()))
        yield f"| `{topic.name}` | {_direction(topic.name)} | {topic.policy} | {held} |"
    yield ""
    yield f"Records of `delete` topics go after {TopicSettings().retention_days:g} days (setting"
    yield "`topics.retention_days`). `rerouted-events` and the changelogs, whose names begin with"
    yield "`engine.app_id`, are internal: nobody else reads or writes them."
    for topic_name in (*INPUT_TOPICS, *OUTPUT_TOPICS):
        yield from _contract(topic_name)
    yield ""
    yield "## Reasons of dead letters"
    yield ""
    yield "`reason` begins with one of these codes, a colon and a text for people: "
    yield ", ".join(f"`{each.value}`" for each in DeadLetterReason) + "."
    yield ""


def _direction(topic_name: str) -> str:
    if topic_name in INPUT_TOPICS:
        return "in"
    return "out" if topic_name in OUTPUT_TOPICS else "internal"


def _contract(topic_name: str) -> Iterator[str]:
    held = contract(topic_name)
    yield ""
    yield f"## {topic_name}"
    yield ""
    yield f"{held.schema['doc']} Subject `{held.subject}`, record `{held.name}`."
    yield ""
    yield from _record(held.schema)


def _record(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    inner: list[Mapping[str, Any]] = []
    for each in schema["fields"]:
        yield f"| `{each['name']}` | {_type(each['type'], inner)} | {each['doc']} |"
    for record in inner:
        yield ""
        yield f"`{record['name']}`: {record['doc']}"
        yield ""
        yield from _record(record)


def _type(schema: Any, inner: list[Mapping[str, Any]]) -> str:
    if isinstance(schema, list):
        branches = [_type(each, inner) for each in schema if each != "null"]
        return " or ".join(branches) + (", or null" if "null" in schema else "")
    if isinstance(schema, str):
        return schema
    kind = str(schema["type"])
    if kind == "record":
        inner.append(schema)
        return f"`{schema['name']}`"
    if kind in CONTAINERS:
        return f"{kind} of {_type(schema[CONTAINERS[kind]], inner)}"
    return "time (ms)" if schema.get("logicalType") == "timestamp-millis" else kind


def _settings_page() -> Iterator[str]:
    yield "# Settings"
    yield MADE.format(source="leadvelocity/settings.py and streams/settings.py")
    yield ""
    yield "Each setting is a variable, or a place in a TOML or YAML file given with `--settings`:"
    yield f"`{PREFIX}KAFKA__BOOTSTRAP_SERVERS=kafka:9092`, or `bootstrap_servers` in the section"
    yield "`kafka`. Variables win over the file. Unknown names are refused."
    yield "A local stack in the folder (`--dir`) wins over the servers in both."
    yield ""
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for path, default, meaning in _settings():
        name = PREFIX + path.upper().replace(".", "__")
        yield f"| `{name}` | {_default(default)} | {meaning} |"
    yield ""


def _settings() -> Iterator[tuple[str, Any, str]]:
    for name, info in Settings.model_fields.items():
        section = info.annotation
        if inspect.isclass(section) and issubclass(section, BaseModel):
            for inner, each in section.model_fields.items():
                yield f"{name}.{inner}", each.default, SETTINGS_SAY[f"{name}.{inner}"]
        elif section is EngineSettings:
            said = _parameters(EngineSettings)
            for field in fields(EngineSettings):
                yield f"{name}.{field.name}", field.default, said[field.name]
        else:
            yield name, info.default, SETTINGS_SAY[name]


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value in (None, "", PydanticUndefined):
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _parameters(kind: type) -> dict[str, str]:
    """Return what the numpy docstring of a class says of each parameter."""
    said: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(kind.__doc__ or "").splitlines():
        head = re.fullmatch(r"([a-z_, ]+) : .+", line)
        if head:
            names = head[1].split(", ")
        elif line.startswith("    "):
            for name in names:
                said[name] = f"{said.get(name, '')} {line.strip()}".strip()
    return said


def _tables_page() -> Iterator[str]:
    yield "# Tables and views"
    yield MADE.format(source="sinks/migrations")
    yield ""
    yield "Times are `DateTime64(3, 'UTC')`. A view with a moment takes it as an argument:"
    yield "`SELECT * FROM tier_at(at = '2026-11-23 10:00:00.000')`."
    for path in sorted(sinks.migrate.FOLDER.glob("*.sql")):
        for statement in path.read_text(encoding="utf-8").split(";\n"):
            yield from _table(statement)
    yield ""


def _table(statement: str) -> Iterator[str]:
    made = re.search(r"CREATE (TABLE|VIEW) IF NOT EXISTS (\w+)", statement)
    if made is None:
        return
    said = re.findall(r"\nCOMMENT '((?:[^'\\]|\\.)*)'", statement)
    yield ""
    yield f"## {made[2]}"
    yield ""
    yield f"{made[1].capitalize()}. {_unescaped(said[-1]) if said else ''}".strip()
    columns = re.findall(
        r"\n    (\w+) ((?:[^\n]|\n        (?!COMMENT))*?)\s+COMMENT '((?:[^'\\]|\\.)*)'", statement
    )
    if made[1] == "TABLE":
        yield ""
        yield "| column | type | meaning |"
        yield "|---|---|---|"
        for name, kind, meaning in columns:
            yield f"| `{name}` | `{' '.join(kind.split())}` | {_unescaped(meaning)} |"
        order = re.search(r"\nORDER BY ([^\n]+)", statement)
        engine = re.search(r"\nENGINE = ([^\n]+)", statement)
        yield ""
        yield f"`{engine[1] if engine else ''}`, ordered by `{order[1] if order else ''}`."


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text).replace("|", "\\|")


def _commands_page() -> Iterator[str]:
    yield "# Commands"
    yield MADE.format(source="each command's --help")
    yield ""
    yield "Exit codes: 0 done, 1 failed, 2 wrong input, 130 after Ctrl-C; a worker or sink that"
    yield "cannot go on safely ends with 70. Results go to standard output, progress and problems"
    yield "to standard error."
    yield ""
    yield "`leadvelocity --version` prints the version, and whether the hot path runs compiled."
    yield ""
    command: Any = typer.main.get_command(app)
    yield from _command(command, "leadvelocity", None)


def _command(command: Any, name: str, parent: Any) -> Iterator[str]:
    context = command.context_class(command, info_name=name, parent=parent)
    inner = command.list_commands(context) if hasattr(command, "list_commands") else []
    if not inner:
        yield from _usage(command, context)
    for each in inner:
        _, resolved, _ = command.resolve_command(context, [each])
        yield from _command(resolved, each, context)


def _usage(command: Any, context: Any) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"## {context.command_path}"
    yield ""
    yield f"`{context.command_path} {pieces}`"
    yield ""
    yield inspect.cleandoc(command.help or "")
    rows = [row for each in command.get_params(context) if (row := _parameter(each))]
    if rows:
        yield ""
        yield "| argument | meaning |"
        yield "|---|---|"
        yield from rows
    yield ""


def _parameter(parameter: Any) -> str | None:
    hidden = getattr(parameter, "hidden", False)
    if hidden or {"--help", "--install-completion", "--show-completion"} & set(parameter.opts):
        return None
    is_option = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts) if is_option else (parameter.metavar or parameter.name)
    shown = parameter.show_default
    default = shown if isinstance(shown, str) else parameter.default
    said = parameter.help or ""
    if default not in (None, False, True) and not callable(default):
        said = f"{said} Default: `{default}`.".strip()
    return f"| `{name}` | {said} |"


def main() -> None:
    """Write the pages that differ, and say which."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
