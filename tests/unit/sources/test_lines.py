"""Lines of a stream."""

import io

import pytest

from sources.lines import numbered_lines


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"ab", [b"ab"]),
        (b"ab\ncd\n", [b"ab", b"cd"]),
        (b"ab\r\ncd", [b"ab", b"cd"]),
        (b"abcd\nef\n", [b"abcd", b"ef"]),
        (b"abcd\r\nef\n", [b"abcd", b"ef"]),
        (b"abcde\nef", [None, b"ef"]),
        (b"abcdef\nef", [None, b"ef"]),
        (b"abcde", [None]),
        (b"a" * 1000 + b"\nef\n" + b"b" * 1000, [None, b"ef", None]),
    ],
)
def test_lines(content: bytes, expected: list[bytes | None]) -> None:
    """Each line comes without its end; one that is too long keeps its number and is passed over."""
    lines = list(numbered_lines(io.BytesIO(content), line_bytes_max=4))
    assert lines == list(enumerate(expected, start=1))
