"""Parts of Avro's binary encoding that generated readers do not take apart in place."""

from struct import Struct

from schemas.dead_letter_reason import DeadLetterReason, Undecodable

double_at = Struct("<d").unpack_from
float_at = Struct("<f").unpack_from

TIME_BYTES = 6
"""Of a time from July 1970 to September 2039, as Avro writes it."""

ENDS_MAX = 4096
"""Ends of times that a reader remembers, each of 17 minutes."""

_INT64_BITS = 64
_INT32_ABOVE = 2**31


def long_at(value: bytes, place: int) -> tuple[int, int]:
    """Return the whole number at a place, and the place after it.

    Raises
    ------
    Undecodable
        When it has more than 64 bits.
    IndexError
        When `value` ends before it does.
    """
    byte = value[place]
    bits = byte & 0x7F
    shift = 7
    while byte > 0x7F:  # noqa: PLR2004  # the last one has no mark
        if shift > _INT64_BITS:
            raise bad_value("a whole number of more than 10 bytes")
        place += 1
        byte = value[place]
        bits |= (byte & 0x7F) << shift
        shift += 7
    if bits >> _INT64_BITS:
        raise bad_value("a whole number of more than 64 bits")
    return bits >> 1 ^ -(bits & 1), place + 1


def time_at(value: bytes, place: int, ends: dict[bytes, int]) -> tuple[int, int]:
    """Return the whole number at a place, and the place after it; see `long_at`.

    Parameters
    ----------
    ends : dict
        Takes what the last three bytes of six, as times have them, add to the first three.
    """
    number, place_after = long_at(value, place)
    if place_after - place == TIME_BYTES:
        if len(ends) >= ENDS_MAX:
            ends.clear()
        end = value[place + 3 : place_after]
        marks_of_first = 0x204080  # they are in the sum when the first three bytes are added
        ends[end] = (
            ((end[0] & 0x7F) << 21) + ((end[1] & 0x7F) << 28) + (end[2] << 35) - marks_of_first
        )
    return number, place_after


def int_at(value: bytes, place: int) -> tuple[int, int]:
    """Return the whole number of 32 bits at a place, and the place after it; see `long_at`."""
    number, place = long_at(value, place)
    if not -_INT32_ABOVE <= number < _INT32_ABOVE:
        raise bad_value(f"{number} does not fit 32 bits")
    return number, place


def span_at(value: bytes, place: int) -> tuple[int, int]:
    """Return where the bytes or text at a place begin and end.

    Raises
    ------
    Undecodable
        When their length is negative, or `value` ends before they do.
    """
    length, start = long_at(value, place)
    if length < 0:
        raise bad_value(f"a length of {length}")
    if length > len(value) - start:
        raise truncated(f"{length} bytes from byte {start} on")
    return start, start + length


def count_at(value: bytes, place: int) -> tuple[int, int]:
    """Return the number of items in the block at a place, and where they begin.

    It may be any number, but reading them ends with the bytes: each takes one at least, or its
    schema would not have been taken (`schemas.writer_schema`).
    """
    count, start = long_at(value, place)
    if count < 0:
        count, (_, start) = -count, long_at(value, start)  # its size helps those who skip it
    return count, start


def bad_value(what: str) -> Undecodable:
    """Return the error for bytes that mean nothing."""
    return Undecodable(DeadLetterReason.BAD_VALUE, f"not what its schema says: {what}")


def truncated(what: str) -> Undecodable:
    """Return the error for bytes that are not there."""
    return Undecodable(DeadLetterReason.TRUNCATED, f"ends too early: {what}")


def no_choice(value: bytes, place: int) -> Undecodable:
    """Return the error for a union's or enum's choice that is none; its shortest form counts."""
    number, place_after = long_at(value, place)
    return bad_value(f"choice {number} in {place_after - place} bytes")


def no_text(error: UnicodeDecodeError, place: int, end: int) -> Undecodable:
    """Return the error for a text, up to a place, that is not UTF-8: perhaps it was cut."""
    if place > end:
        return truncated("within a text")
    return Undecodable(DeadLetterReason.BAD_VALUE, f"not UTF-8: {error.reason}")


def wrong_end(place: int, end: int) -> Undecodable:
    """Return the error for a record that ends at another place than its bytes do."""
    if place > end:
        return truncated(f"{place - end} bytes are missing")
    return Undecodable(DeadLetterReason.TRAILING_BYTES, f"{end - place} bytes too many")
