"""Numbers and strings as the native protocol writes them."""

_CONTINUES = 0x80


def varint(value: int) -> bytes:
    """Return `value` in as few bytes as it takes."""
    encoded = bytearray()
    while value >= _CONTINUES:
        encoded.append(value & (_CONTINUES - 1) | _CONTINUES)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def text(value: str) -> bytes:
    """Return `value` with its length before it."""
    encoded = value.encode("utf-8", "surrogateescape")
    return varint(len(encoded)) + encoded
