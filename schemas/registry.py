"""The schema registry: schemas in, ids out, and back."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.contracts import Contract

COMPATIBILITY = "FULL_TRANSITIVE"
"""Every version can read, and be read by, every other version of its subject."""

_TRANSIENT = frozenset((408, 425, 429))
_NOT_FOUND = frozenset((400, 404))
_REFUSED = frozenset((401, 403))
_INCOMPATIBLE = frozenset((409, 422))
_SERVER_ERROR = 500

T = TypeVar("T")


class RegistryError(Exception):
    """The registry did not do what it was asked."""


class RegistryUnavailable(RegistryError):
    """The registry did not answer, or not now: try again."""


class RegistryRefused(RegistryError):
    """The registry answered, and will answer the same again."""


class UnknownSchema(RegistryRefused):
    """The registry has no such schema."""


class IncompatibleSchema(RegistryRefused):
    """The registry does not take the schema as a version of its subject."""


class Registry:
    """A blocking client of a schema registry with Confluent's API.

    Parameters
    ----------
    url : str
        Without user and password.
    user, password : str or None
        For HTTP basic authentication; never shown.
    ca_file : str or None
        Certificates (PEM) to trust for https; None trusts the usual ones.
    timeout_s : float
        For each step of a request: connect, send, receive.
    retries_max : int
        How often a request that found nobody is sent again before it fails.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        ca_file: str | None = None,
        timeout_s: float = 5.0,
        retries_max: int = 2,
    ) -> None:
        if "@" in urlsplit(url).netloc:
            raise ValueError("the registry's url has a password: give user and password apart")
        self._url = url
        settings: dict[str, object] = {
            "url": url,
            "timeout": timeout_s,
            "max.retries": retries_max,
            "retries.wait.ms": 100,
            "retries.max.wait.ms": 1000,
        }
        if user is not None:
            settings["basic.auth.user.info"] = f"{user}:{password or ''}"
        if ca_file is not None:
            settings["ssl.ca.location"] = ca_file
        self._client = SchemaRegistryClient(settings)

    def __repr__(self) -> str:
        return f"Registry({self._url!r})"

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def register(self, contract: Contract) -> int:
        """Register a contract, if it is not yet, under `COMPATIBILITY`, and return its id.

        Raises
        ------
        RegistryUnavailable
            When the registry does not answer.
        IncompatibleSchema
            When it does not fit the versions that are registered.
        RegistryRefused
            When the registry refuses for another reason.
        """
        subject, schema = contract.subject, _schema(contract)
        self._ask(
            f"set the compatibility of {subject}",
            lambda: self._client.set_compatibility(subject, COMPATIBILITY),
        )
        return self._ask(
            f"register {subject}", lambda: self._client.register_schema(subject, schema)
        )

    def id_of(self, contract: Contract) -> int:
        """Return the id of a registered contract; registers nothing.

        Raises
        ------
        RegistryUnavailable
            When the registry does not answer.
        UnknownSchema
            When it is not registered: `leadvelocity setup` does it.
        RegistryRefused
            When the registry refuses for another reason.
        """
        subject, schema = contract.subject, _schema(contract)
        found = self._ask(
            f"find {subject} (`leadvelocity setup` registers it)",
            lambda: self._client.lookup_schema(subject, schema),
        )
        if found.schema_id is None:
            raise RegistryUnavailable(f"{self._url} found {subject} but gave no id")
        return found.schema_id

    def schema(self, schema_id: int) -> str:
        """Return the text of a schema.

        Raises
        ------
        RegistryUnavailable
            When the registry does not answer.
        UnknownSchema
            When there is no schema of this id.
        RegistryRefused
            When the registry refuses for another reason.
        """
        task = f"get schema {schema_id}"
        try:
            found = self._ask(task, lambda: self._client.get_schema(schema_id))
        except IncompatibleSchema as error:  # an id that no registry would give
            raise UnknownSchema(str(error)) from error
        return str(found.schema_str)

    def _ask(self, task: str, request: Callable[[], T]) -> T:
        try:
            return request()
        except SchemaRegistryError as error:
            raise self._typed(task, error) from error
        except Exception as error:  # the client's HTTP library is its own affair
            text = f"{self._url} does not answer: cannot {task}: {type(error).__name__}: {error}"
            raise RegistryUnavailable(text) from error

    def _typed(self, task: str, error: SchemaRegistryError) -> Exception:
        status = error.http_status_code
        text = f"{self._url} cannot {task}: HTTP {status}: {error.error_message}"
        if status >= _SERVER_ERROR or status in _TRANSIENT:
            return RegistryUnavailable(text)
        if status in _NOT_FOUND:
            return UnknownSchema(text)
        if status in _INCOMPATIBLE:
            return IncompatibleSchema(text)
        if status in _REFUSED:
            return RegistryRefused(f"{text}; check user and password")
        return RegistryRefused(text)


def _schema(contract: Contract) -> Schema:
    return Schema(contract.text, "AVRO")
