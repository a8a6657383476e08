"""A web server's access log in the combined format, as website visits."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache, partial
from hashlib import blake2b
from typing import BinaryIO
from urllib.parse import unquote_plus

from crawlerdetect import CrawlerDetect

from schemas.dead_letter_reason import Undecodable
from schemas.events import DEFAULT_LIMITS, EventLimits, read_event
from schemas.topics import WEBSITE_VISITS
from scoring.event import Event
from sources.lines import numbered_lines
from sources.occurrences import Occurrences

_QUOTED = r'"(?P<{}>(?:[^"\\]|\\.)*)"'
_COMBINED = re.compile(
    (
        r"(?P<address>\S+) \S+ [^\[]*"
        r"\[(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4})"
        r":(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
        r" (?P<sign>[+-])(?P<zone_hours>\d\d)(?P<zone_minutes>\d\d)\] "
        f"{_QUOTED.format('request')}"
        r" (?P<status>\d{3}) (?:\d+|-) "
        f"{_QUOTED.format('referrer')} {_QUOTED.format('agent')}(?: .*)?"
    ).encode()
)
_NOT_MODIFIED = b"304"
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
_CAMPAIGN = re.compile("[?&]utm_campaign=([^&#]+)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1
    )
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# fmt: off
ASSET_EXTENSIONS = frozenset((
    "css", "js", "mjs", "map", "json", "wasm", "xsl", "xslt",
    "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "avif", "bmp", "tif", "tiff",
    "woff", "woff2", "ttf", "otf", "eot",
    "mp3", "mp4", "m4a", "ogg", "webm", "avi", "mov", "swf",
))
# fmt: on
"""Endings of paths that pages load by themselves."""

ASSET_NAMES = frozenset(("robots.txt", "ads.txt", "sitemap.xml", "browserconfig.xml"))
"""Files that programs, not people, ask for."""


class SkipReason(StrEnum):
    """Why a request is no visit."""

    ASSET = "asset"
    """Part of a page, or a file for programs."""
    METHOD = "method"
    """Asked for no page: only GET does."""
    STATUS = "status"
    """Got no page: an error or a redirect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A request that is no visit."""

    line: int
    reason: SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparsable:
    """A line that is no request in the combined format.

    Parameters
    ----------
    text : str
        Its beginning.
    """

    line: int
    reason: str
    text: str


Result = Event | Skipped | Unparsable


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of the lines so far; ``lines = visits + all skipped + unparsable``.

    Parameters
    ----------
    machines : int
        Visits by crawlers, among `visits`.
    """

    lines: int = 0
    visits: int = 0
    machines: int = 0
    unparsable: int = 0
    skipped: Counter[SkipReason] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Count one line."""
        self.lines += 1
        if isinstance(result, Event):
            self.visits += 1
            self.machines += result.machine is True
        elif isinstance(result, Skipped):
            self.skipped[result.reason] += 1
        else:
            self.unparsable += 1


def read_log(
    stream: BinaryIO,
    *,
    salt: bytes,
    counts: Counts,
    line_bytes_max: int = 1 << 17,
    limits: EventLimits = DEFAULT_LIMITS,
) -> Iterator[Result]:
    """Yield what each line of a log tells, as far as it is taken, and count it.

    An event's id comes from the content of its line, and of identical lines from which of them it
    is; so a log that is read again, or overlaps with another after a rotation, gives the same ids.

    Parameters
    ----------
    stream : binary file
    salt : bytes
        1 to 64 secret bytes; with the same ones an address and agent is always the same lead,
        without them nobody finds the address again.
    counts : Counts
        Counts each line before it is yielded.
    line_bytes_max : int
        Longest line.
    limits : EventLimits
    """
    occurrences = Occurrences()
    for line, content in numbered_lines(stream, line_bytes_max=line_bytes_max):
        result: Result
        if content is None:
            result = Unparsable(line=line, reason=f"longer than {line_bytes_max} bytes", text="")
        else:
            result = read_line(content, line, salt=salt, limits=limits)
        if isinstance(result, Event):
            result = _told_apart(result, occurrences)
        counts.add(result)
        yield result


def read_line(
    content: bytes, line: int, *, salt: bytes, limits: EventLimits = DEFAULT_LIMITS
) -> Result:
    """Return what one line tells: a visit, or why there is none.

    Visits are requests by GET that were answered with a page (2xx, or 304: seen before). A
    redirect is none, as the page it leads to is asked for next.

    Parameters
    ----------
    content : bytes
    line : int
        Its number, for messages: the same content is the same event on any line.
    salt : bytes
        See `read_log`.
    limits : EventLimits

    Raises
    ------
    ValueError
        When `salt` is empty or longer than 64 bytes.
    """
    if not 1 <= len(salt) <= blake2b.MAX_KEY_SIZE:
        raise ValueError(f"the salt has {len(salt)} bytes; it takes 1 to {blake2b.MAX_KEY_SIZE}")
    match = _COMBINED.fullmatch(content)
    if match is None:
        return _unparsable(content, line, "not in the combined log format")
    method, _, target = match["request"].partition(b" ")
    url = _unescaped(target.rpartition(b" ")[0] or target)
    skip = _skip_reason(match["status"], method, url)
    if skip is not None:
        return Skipped(line=line, reason=skip)
    pseudonym = partial(_pseudonym, salt=salt)
    try:
        return read_event(WEBSITE_VISITS, _record(match, url, pseudonym), limits)
    except Undecodable as error:
        return _unparsable(content, line, error.text)
    except ValueError as error:
        return _unparsable(content, line, f"no such time: {error}")


def _told_apart(event: Event, occurrences: Occurrences) -> Event:
    """Give the second of identical lines, and later ones, ids of their own."""
    number = occurrences.number_of(event.event_id)
    return event if number == 1 else event.replace(event_id=f"{event.event_id}-{number}")


def _record(
    match: re.Match[bytes], url: str, pseudonym: Callable[[bytes], str]
) -> dict[str, object]:
    user_agent = _unescaped(match["agent"])
    campaign = _CAMPAIGN.search(url)
    return {
        "event_id": f"log-{pseudonym(match[0])}",
        "lead_id": f"visitor-{pseudonym(b'%b %b' % (match['address'], match['agent']))}",
        "occurred_at": _time_ms(match),
        "url": url,
        "referrer": _unless_dash(_unescaped(match["referrer"])),
        "duration_s": None,
        "user_agent": _unless_dash(user_agent),
        "campaign": unquote_plus(campaign[1]) if campaign else None,
        "channel": None,
        "machine": True if is_crawler(user_agent) else None,
    }


def _skip_reason(status: bytes, method: bytes, url: str) -> SkipReason | None:
    if not (status.startswith(b"2") or status == _NOT_MODIFIED):
        return SkipReason.STATUS
    if method != b"GET":
        return SkipReason.METHOD
    name = re.split("[?#]", url, maxsplit=1)[0].rpartition("/")[2].lower()
    _, dot, extension = name.rpartition(".")
    if name in ASSET_NAMES or (dot and extension in ASSET_EXTENSIONS):
        return SkipReason.ASSET
    return None


@lru_cache(maxsize=4096)
def is_crawler(user_agent: str, *, chars_max: int = 1024) -> bool:
    """Return whether a client says that it is a crawler, by CrawlerDetect's list.

    Parameters
    ----------
    user_agent : str
    chars_max : int
        Of a longer agent only so much is looked at.
    """
    return bool(CrawlerDetect(user_agent=user_agent[:chars_max]).is_crawler())


def _time_ms(match: re.Match[bytes]) -> int:
    hours, minutes = int(match["zone_hours"]), int(match["zone_minutes"])
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if match["sign"] == b"-" else 1)
    moment = datetime(
        int(match["year"]),
        _MONTHS.get(match["month"], 0),
        int(match["day"]),
        int(match["hour"]),
        int(match["minute"]),
        int(match["second"]),
        tzinfo=timezone(offset),
    )
    return (moment - _EPOCH) // _MILLISECOND


def _pseudonym(content: bytes, salt: bytes) -> str:
    return blake2b(content, key=salt, digest_size=16).hexdigest()


def _unescaped(content: bytes) -> str:
    if b"\\" in content:
        content = _ESCAPE.sub(_unescape, content)
    return content.decode(errors="replace")


def _unescape(match: re.Match[bytes]) -> bytes:
    code, other = match.groups()
    return bytes.fromhex(code.decode()) if code else _ESCAPED.get(other, other)


def _unless_dash(text: str) -> str | None:
    return None if text in ("", "-") else text


def _unparsable(content: bytes, line: int, reason: str) -> Unparsable:
    return Unparsable(line=line, reason=reason, text=content[:200].decode(errors="replace"))
