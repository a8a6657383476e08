"""What a failure of ClickHouse means: later, never, or not before someone acts."""

from clickhouse_driver import errors

from sinks.port import Block, SinkMisconfigured, SinkRejected, SinkUnavailable

REJECTIONS = {
    6: "CANNOT_PARSE_TEXT",
    53: "TYPE_MISMATCH",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    128: "TOO_LARGE_ARRAY_SIZE",
    131: "TOO_LARGE_STRING_SIZE",
    321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    469: "VIOLATED_CONSTRAINT",
}
"""A value in the block is at fault: it will be so at each try."""

_MIGRATE = "run `leadvelocity setup`"
_GRANT = "check user, password and grants of the ClickHouse settings"
_SETTINGS = "allow the writer's settings in the user's profile"

CURES = {
    16: _MIGRATE,  # NO_SUCH_COLUMN_IN_TABLE
    20: _MIGRATE,  # NUMBER_OF_COLUMNS_DOESNT_MATCH
    47: _MIGRATE,  # UNKNOWN_IDENTIFIER
    60: _MIGRATE,  # UNKNOWN_TABLE
    81: _MIGRATE,  # UNKNOWN_DATABASE
    115: "use a ClickHouse that is not older than 24.8",  # UNKNOWN_SETTING
    164: _SETTINGS,  # READONLY: the user's profile, not the disk
    192: _GRANT,  # UNKNOWN_USER
    193: _GRANT,  # WRONG_PASSWORD
    194: _GRANT,  # REQUIRED_PASSWORD
    195: _GRANT,  # IP_ADDRESS_NOT_ALLOWED
    291: _GRANT,  # DATABASE_ACCESS_DENIED
    452: _SETTINGS,  # SETTING_CONSTRAINT_VIOLATION
    497: _GRANT,  # ACCESS_DENIED
    516: _GRANT,  # AUTHENTICATION_FAILED
}
"""Someone has to act; what to do, by code."""

MESSAGE_CHARACTERS_MAX = 500

LOCAL_FAULTS = (TypeError, ValueError, AttributeError, OverflowError)
"""What the driver raises when it cannot encode a value, if it is no OSError (TLS's errors are
both)."""


def unavailable(error: Exception, *, doing: str) -> SinkUnavailable:
    """Return what a failure means when no row is at fault.

    Every code that is not known here counts as passing: a row is never given up on a guess.

    Parameters
    ----------
    error : Exception
        Of the driver or of the operating system.
    doing : str
        What was tried.
    """
    code = getattr(error, "code", None)
    cure = CURES.get(code) if isinstance(code, int) else None
    if cure is not None:
        return SinkMisconfigured(f"{doing}: {message_of(error)}; {cure}")
    return SinkUnavailable(f"{doing}: {message_of(error)}")


def write_failure(error: Exception, block: Block) -> SinkUnavailable | SinkRejected:
    """Return what a failure means for a block that was being written.

    Parameters
    ----------
    error : Exception
    block : Block
    """
    doing = f"writing {block.topic}-{block.partition} {block.first_offset}-{block.last_offset}"
    if isinstance(error, errors.Error):
        at_fault = error.code in REJECTIONS
    else:
        at_fault = isinstance(error, LOCAL_FAULTS) and not isinstance(error, OSError)
    if not at_fault:
        return unavailable(error, doing=doing)
    return SinkRejected(
        f"{doing}: ClickHouse takes no such value: {message_of(error)};"
        " compare the table with the topic's contract",
        topic=block.topic,
        partition=block.partition,
    )


def message_of(error: Exception) -> str:
    """Return a failure's own words in one line, without the server's stack trace."""
    words = " ".join(str(error).split("Stack trace", maxsplit=1)[0].split())
    return words[:MESSAGE_CHARACTERS_MAX] or type(error).__name__
