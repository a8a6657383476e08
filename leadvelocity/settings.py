"""Settings: `LEADVELOCITY_*` variables or a file, checked as a whole."""

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from leadvelocity.errors import WrongInput
from streams.settings import EngineSettings, KafkaConnection

PREFIX = "LEADVELOCITY_"
DIRECTORY = Path(".leadvelocity")
DAY_MS = 86_400_000


class Section(BaseModel):
    """A part of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(Section):
    """How to reach Kafka; `bootstrap_servers` empty: the local stack's.

    Parameters
    ----------
    ca_file : Path or None
        Certificates to trust; None trusts the system's.
    cert_file, key_file : Path or None
        Certificate to show to the broker (mutual TLS) and its private key; with no `key_file`
        the key stands in `cert_file` too.
    """

    bootstrap_servers: str = ""
    security_protocol: str = Field(
        default="PLAINTEXT", pattern=r"^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$"
    )
    sasl_mechanism: str | None = Field(
        default=None, pattern=r"^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$"
    )
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def connection(self) -> KafkaConnection:
        """Return it as the clients take it.

        Raises
        ------
        WrongInput
            Half a security, with which no broker would let us in.
        """
        if missing := self._missing():
            raise WrongInput(f"settings: kafka: {missing}")
        return KafkaConnection(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol=self.security_protocol,
            sasl_mechanism=self.sasl_mechanism,
            username=self.username,
            password=revealed(self.password),
            ca_file=file_text(self.ca_file),
            cert_file=file_text(self.cert_file),
            key_file=file_text(self.key_file),
        )

    def _missing(self) -> str | None:
        needed = ("sasl_mechanism", "username", "password")
        lacking = [name for name in needed if not getattr(self, name)]
        if self.security_protocol.startswith("SASL") and lacking:
            return f"{self.security_protocol} needs {', '.join(lacking)} too"
        if self.key_file is not None and self.cert_file is None:
            return "key_file needs cert_file too"
        for name in ("ca_file", "cert_file", "key_file"):
            file = getattr(self, name)
            if file is not None and not file.is_file():
                return f"{name}: there is no file {file}"
        return None


class RegistrySettings(Section):
    """How to reach the schema registry; `url` empty: the local stack's.

    `allowed_fingerprints`: of the schemas with which senders may write, beside our own contracts
    of the day; none: any that the registry holds and that fits its topic's contract.
    """

    url: str = ""
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    allowed_fingerprints: frozenset[str] | None = None


class ClickHouseSettings(Section):
    """How to reach ClickHouse by its native protocol; `host` empty: the local stack's."""

    host: str = ""
    port: int = Field(default=9000, ge=1, le=65_535)
    user: str = "default"
    password: SecretStr = SecretStr("")
    database: str = "default"
    secure: bool = False
    verify: bool = True
    ca_file: Path | None = None


class TopicSettings(Section):
    """What `setup` makes topics with."""

    partitions: int = Field(default=4, ge=1)
    replication_factor: int = Field(default=1, ge=1)
    retention_days: float = Field(default=30.0, gt=0)

    @property
    def retention_ms(self) -> int:
        """Return how long topics keep their records, in milliseconds."""
        return round(self.retention_days * DAY_MS)


def _known_engine_fields(value: Any) -> Any:
    """Refuse unknown names: a standard dataclass would drop them in silence."""
    if isinstance(value, Mapping):
        known = [each.name for each in dataclasses.fields(EngineSettings)]
        for name in value:
            if name not in known:
                raise ValueError(f"no such setting: {name!r}{_hint(str(name), known)}")
    return value


class Settings(BaseSettings):
    """All settings; every variable is `LEADVELOCITY_` and the path, nested by two underscores.

    Parameters
    ----------
    engine : EngineSettings
        Limits of the engine, each with a default.
    model : Path or None
        Scoring model; None: the default one.
    state_dir : Path or None
        Where a worker keeps its local state with `engine.store` rocksdb: one worker a folder.
        None: each worker takes a free numbered one in `state/` of `directory`.
    directory : Path
        Folder of the local stack.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    kafka: KafkaSettings = KafkaSettings()
    registry: RegistrySettings = RegistrySettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    engine: Annotated[EngineSettings, BeforeValidator(_known_engine_fields)] = EngineSettings()
    topics: TopicSettings = TopicSettings()
    model: Path | None = None
    state_dir: Path | None = None
    directory: Path = DIRECTORY

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let variables win over the file, whose content comes as arguments."""
        return env_settings, InitSettingsSource(settings_cls, init_settings())


def load_settings(file: Path | None = None) -> Settings:
    """Read the settings; variables win over the file.

    Parameters
    ----------
    file : Path or None
        TOML (`.toml`) or YAML.

    Returns
    -------
    Settings

    Raises
    ------
    WrongInput
        An unknown or wrong setting, by name; a file that cannot be read. No secret is shown.
    """
    _refuse_unknown_variables(os.environ)
    content = {} if file is None else _content(file)
    try:
        return Settings(**content)
    except ValidationError as error:
        problems = "; ".join(_problem(each) for each in error.errors(include_input=False))
        raise WrongInput(f"settings: {problems}") from None


def revealed(secret: SecretStr | None) -> str | None:
    """Return what a secret holds."""
    return None if secret is None else secret.get_secret_value()


def file_text(file: Path | None) -> str | None:
    """Return a file's name as clients take it."""
    return None if file is None else str(file)


def _problem(error: Any) -> str:
    path = ".".join(str(each) for each in error["loc"])
    known = list(Settings.model_fields)
    if error["type"] == "extra_forbidden":
        section = Settings.model_fields.get(str(error["loc"][0]))
        if len(error["loc"]) > 1 and section is not None:
            known = list(getattr(section.annotation, "model_fields", {}))
        return f"no such setting: {path!r}{_hint(str(error['loc'][-1]), known)}"
    return f"{path}: {error['msg'].removeprefix('Value error, ')}"


def _refuse_unknown_variables(variables: Mapping[str, str]) -> None:
    """Nested names are checked by the sections; the first part of a name, pydantic passes over."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name in variables:
        if name.upper().startswith(PREFIX) and name.upper().split("__")[0] not in known:
            hint = _hint(name.upper(), known)
            raise WrongInput(f"no such setting: {name}{hint}; unset it, or correct its name")


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"


def _content(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        content = tomllib.loads(text) if file.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise WrongInput(f"settings file {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise WrongInput(f"settings file {file}: {error}") from None
    if not isinstance(content, dict | None) or any(
        not isinstance(key, str) for key in content or {}
    ):
        raise WrongInput(f"settings file {file}: sections are expected, such as `kafka:`")
    return content or {}
