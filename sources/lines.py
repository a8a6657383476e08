"""Lines of a stream, numbered, none longer than a limit."""

from collections.abc import Iterator
from typing import BinaryIO


def numbered_lines(stream: BinaryIO, *, line_bytes_max: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line without its end, with its number from 1; None stands for one too long.

    Parameters
    ----------
    stream : binary file
        Read as far as lines are taken; never a whole line that is too long.
    line_bytes_max : int
        Longest line.
    """
    number = 0
    while line := stream.readline(line_bytes_max + 2):
        number += 1
        content = line.rstrip(b"\r\n")
        if len(content) <= line_bytes_max:
            yield number, content
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(line_bytes_max)
        yield number, None
