"""Failures of the server, told apart by what becomes of the connection."""

import re

_CODE = re.compile(r"Code: (\d+)\. ")
_VERSION = re.compile(r" \(version [\d.]+\)$")

UNKNOWN = 1002
NOT_IMPLEMENTED = 48
AUTHENTICATION_FAILED = 516


class ProtocolError(Exception):
    """The client's bytes make no sense: the connection ends."""


class Disconnected(ProtocolError):
    """The client has gone."""


class EngineError(Exception):
    """The engine refused a statement: the client is told, the connection goes on.

    Parameters
    ----------
    code : int
        ClickHouse's own number of the error.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def unauthenticated(cls, user: str) -> "EngineError":
        """Return the refusal of a user that is not known, or whose password is wrong."""
        return cls(
            AUTHENTICATION_FAILED,
            f"DB::Exception: {user}: Authentication failed: password is incorrect, or there is no"
            " user with such name. (AUTHENTICATION_FAILED)",
        )

    @classmethod
    def of(cls, error: Exception) -> "EngineError":
        """Return what an exception of chDB means."""
        text = str(error)
        found = _CODE.search(text)
        if found is None:
            return cls(UNKNOWN, text)
        return cls(int(found[1]), _VERSION.sub("", text[found.end() :]))
