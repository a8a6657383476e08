"""What telling failures apart promises."""

import ssl

import pytest
from clickhouse_driver import errors

from sinks.failures import CURES, REJECTIONS, unavailable, write_failure
from sinks.port import Block, SinkMisconfigured, SinkRejected, SinkUnavailable

BLOCK = Block(topic="tier-changes", partition=4, first_offset=7, last_offset=9, columns={})


def server(code: int | None, text: str = "DB::Exception: no") -> errors.ServerException:
    return errors.ServerException(f"{text}. Stack trace:\n\n0. deep inside", code)


@pytest.mark.parametrize(
    "error",
    [
        errors.NetworkError("Connection refused"),
        errors.SocketTimeoutError("(127.0.0.1:9000)"),
        errors.UnexpectedPacketFromServerError("?"),
        EOFError("Unexpected EOF while reading bytes"),
        ConnectionResetError(104, "Connection reset by peer"),
        TimeoutError("timed out"),
        ssl.SSLCertVerificationError(1, "self-signed certificate"),
        server(159),  # TIMEOUT_EXCEEDED
        server(202),  # TOO_MANY_SIMULTANEOUS_QUERIES
        server(241),  # MEMORY_LIMIT_EXCEEDED
        server(242),  # TABLE_IS_READ_ONLY
        server(243),  # NOT_ENOUGH_SPACE
        server(252),  # TOO_MANY_PARTS
        server(319),  # UNKNOWN_STATUS_OF_INSERT
        server(999),  # KEEPER_EXCEPTION
        server(99_999),
        server(None),
    ],
    ids=repr,
)
def test_what_may_pass_is_unavailable(error: Exception) -> None:
    """What may pass, or is not known, never gives a row up."""
    failure = write_failure(error, BLOCK)
    assert type(failure) is SinkUnavailable
    assert "tier-changes-4 7-9" in str(failure)


@pytest.mark.parametrize("code", CURES)
def test_what_someone_must_cure_says_how(code: int) -> None:
    """What only people can put right loses no row either, and says what to do."""
    failure = write_failure(server(code), BLOCK)
    assert type(failure) is SinkMisconfigured
    assert isinstance(failure, SinkUnavailable)
    assert CURES[code] in str(failure)


@pytest.mark.parametrize(
    "error",
    [
        *map(server, REJECTIONS),
        errors.TypeMismatchError("Column x: argument out of range"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        TypeError("an integer is required"),
    ],
    ids=repr,
)
def test_what_never_fits_is_rejected(error: Exception) -> None:
    """A value that the store refuses is told apart, with topic and partition."""
    failure = write_failure(error, BLOCK)
    assert isinstance(failure, SinkRejected)
    assert (failure.topic, failure.partition) == ("tier-changes", 4)


def test_messages_are_short() -> None:
    """The server's stack trace stays out of our messages."""
    assert "deep inside" not in str(unavailable(server(252), doing="writing"))
    long = unavailable(server(252, "Too many parts " + "x" * 9_999), doing="writing")
    assert len(str(long)) < 600
