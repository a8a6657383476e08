"""Access logs as website visits."""

import io
from pathlib import Path

import pytest

from scoring.event import Event
from sources.access_log import (
    Counts,
    Result,
    Skipped,
    SkipReason,
    Unparsable,
    is_crawler,
    read_line,
    read_log,
)

SALT = b"salt"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/32.0.1700.77 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def line(
    request: str = "GET /pricing HTTP/1.1",
    *,
    address: str = "203.0.113.9",
    user: str = "-",
    at: str = "17/May/2015:10:05:03 +0000",
    status: int = 200,
    size: str = "512",
    referrer: str = "-",
    agent: str = CHROME,
) -> bytes:
    text = f'{address} - {user} [{at}] "{request}" {status} {size} "{referrer}" "{agent}"'
    return text.encode()


def read(content: bytes, number: int = 1, salt: bytes = SALT) -> Result:
    return read_line(content, number, salt=salt)


def visit(content: bytes, number: int = 1, salt: bytes = SALT) -> Event:
    result = read(content, number, salt)
    assert isinstance(result, Event), result
    return result


def test_visit() -> None:
    """A request for a page is a visit with its address, referrer, client and campaign."""
    request = "GET /pricing?utm_campaign=spring+sale%21&a=1 HTTP/1.1"
    event = visit(line(request, referrer='https://example.org/?q=\\"a\\"'))
    assert event.occurred_at_ms == 1_431_857_103_000
    assert event.machine is None
    assert event.fields == {
        "url": "/pricing?utm_campaign=spring+sale%21&a=1",
        "referrer": 'https://example.org/?q="a"',
        "user_agent": CHROME,
        "campaign": "spring sale!",
    }


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("01/Jan/1970:00:00:00 +0000", 0),
        ("17/May/2015:12:05:03 +0200", 1_431_857_103_000),
        ("17/May/2015:04:35:03 -0530", 1_431_857_103_000),
        ("29/Feb/2016:23:59:59 +0000", 1_456_790_399_000),
    ],
)
def test_time(at: str, expected: int) -> None:
    """The zone's offset is taken off exactly."""
    assert visit(line(at=at)).occurred_at_ms == expected


def test_one_lead_per_address_and_agent() -> None:
    """The same address and agent is the same lead; another of either, or another salt, is not."""
    same = [visit(line(f"GET /{page} HTTP/1.1"), page) for page in range(3)]
    assert len({each.lead_id for each in same}) == 1
    others = [
        visit(line(address="203.0.113.10")),
        visit(line(agent="Mozilla/5.0")),
        visit(line(), salt=b"pepper"),
    ]
    assert len({each.lead_id for each in [same[0], *others]}) == 4


def test_pseudonym() -> None:
    """Nothing of a visit tells the address."""
    event = visit(line(address="203.0.113.9"))
    assert "203.0.113" not in repr(event)


def test_event_id() -> None:
    """The same content is the same event, on whatever line it stands; other content is another."""
    ids = [visit(line(), number).event_id for number in (1, 1, 2)]
    assert len(set(ids)) == 1
    assert visit(line(size="513")).event_id != ids[0]


def test_identical_lines() -> None:
    """Identical lines are visits of their own, the same ones each time and wherever they begin."""
    log = [line(), line("GET / HTTP/1.1"), line(), line()]

    def ids(content: list[bytes]) -> list[str]:
        results = read_log(io.BytesIO(b"\n".join(content)), salt=SALT, counts=Counts())
        return [each.event_id for each in results if isinstance(each, Event)]

    assert len(set(ids(log))) == 4
    assert ids(log) == ids(log)
    assert ids([line("GET /before HTTP/1.1"), b"x", *log])[1:] == ids(log)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (line("GET /style.css?v=3 HTTP/1.1"), SkipReason.ASSET),
        (line("GET /images/Logo.PNG HTTP/1.1"), SkipReason.ASSET),
        (line("GET /robots.txt HTTP/1.1"), SkipReason.ASSET),
        (line("GET /favicon.ico HTTP/1.1", status=304), SkipReason.ASSET),
        (line("GET /fonts/a.woff2#iefix HTTP/1.1"), SkipReason.ASSET),
        (line("HEAD /pricing HTTP/1.1"), SkipReason.METHOD),
        (line("POST /pricing HTTP/1.1"), SkipReason.METHOD),
        (line(status=301, size="-"), SkipReason.STATUS),
        (line(status=404), SkipReason.STATUS),
        (line(status=500), SkipReason.STATUS),
        (line("-", status=408), SkipReason.STATUS),
        (line("\\x16\\x03\\x01", status=400), SkipReason.STATUS),
    ],
)
def test_skipped(content: bytes, reason: SkipReason) -> None:
    """Assets, other methods, errors and redirects are no visits."""
    assert read(content, 5) == Skipped(line=5, reason=reason)


@pytest.mark.parametrize(
    "content",
    [
        line("GET / HTTP/1.1"),
        line("GET /pricing"),
        line(status=304, size="-"),
        line(status=206),
        line("GET /css HTTP/1.1"),
        line("GET /page?file=a.css HTTP/1.1"),
        line("GET /a b c HTTP/1.1"),
        line("GET http://[broken HTTP/1.1"),
        line("GET /\\xe9\\\\\\t HTTP/1.1"),
        line(address="2001:db8::1", user="ann lee"),
        line() + b" 1234 extra",
        line(agent="\xe9"),
        line(agent=CHROME).replace(b"Linux", b"\xff"),
    ],
)
def test_still_a_visit(content: bytes) -> None:
    """What servers write, odd as it is, is read."""
    assert visit(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        line()[:-1],
        line().rpartition(b' "')[0],
        line(at="31/Feb/2015:10:05:03 +0000"),
        line(at="17/Mai/2015:10:05:03 +0000"),
        line(at="17/May/2015:25:05:03 +0000"),
        line(at="17/May/2015:10:05:03 +9900"),
        line(at="17/May/1915:10:05:03 +0000"),
        line(at="2015-05-17T10:05:03Z"),
        line(f"GET /{'x' * 9000} HTTP/1.1"),
        b'"' * 50_000,
        b"1 - " + b"[" * 50_000,
        b'1 - - [17/May/2015:10:05:03 +0000] "' + b"\\" * 50_001,
    ],
)
def test_unparsable(content: bytes) -> None:
    """A line that is no request is kept with its number and the reason, and found out quickly."""
    result = read(content, 5)
    assert isinstance(result, Unparsable)
    assert result.line == 5
    assert result.reason
    assert len(result.text) <= 200


@pytest.mark.parametrize("agent", ["-", ""])
def test_no_agent(agent: str) -> None:
    """A client that does not say what it is may be a person."""
    event = visit(line(agent=agent))
    assert "user_agent" not in event.fields
    assert event.machine is None


def test_crawler() -> None:
    """A client that says it is a crawler is a machine."""
    assert visit(line(agent=GOOGLEBOT)).machine is True
    assert is_crawler("Tiny Tiny RSS/1.11 (http://tt-rss.org/)")
    assert not is_crawler(CHROME)
    assert not is_crawler("-")


@pytest.mark.parametrize("salt", [b"", b"x" * 65])
def test_salt(salt: bytes) -> None:
    """Without a usable salt nothing is read: a bare hash of an address is no pseudonym."""
    with pytest.raises(ValueError, match="1 to 64"):
        read(line(), salt=salt)


def test_counts() -> None:
    """Every line of a log is counted once, also those that were not taken."""
    visits = [line(), line(agent=GOOGLEBOT)]
    skipped = [line(status=404), line("GET /a.js HTTP/1.1")]
    content = b"\n".join([*visits, *skipped, b"", b"x", b"y" * 5000])
    counts = Counts()
    results = list(read_log(io.BytesIO(content), salt=SALT, counts=counts, line_bytes_max=1000))
    assert len(results) == counts.lines == 7
    assert (counts.visits, counts.machines, counts.unparsable) == (2, 1, 3)
    assert counts.skipped == {SkipReason.STATUS: 1, SkipReason.ASSET: 1}


def test_lazy() -> None:
    """Of a log no more is read than is taken."""
    stream = io.BytesIO(line() + b"\n" + line() + b"\n")
    counts = Counts()
    next(read_log(stream, salt=SALT, counts=counts))
    assert counts.lines == 1
    assert stream.tell() == len(line()) + 1


def test_real_log() -> None:
    """A real log of 10,000 requests is accounted for to the last line."""
    path = Path(__file__).parents[4] / "shared" / "data" / "apache_access.log"
    if not path.exists():
        pytest.skip("the log is not part of the project")
    counts = Counts()
    with path.open("rb") as stream:
        results = list(read_log(stream, salt=SALT, counts=counts))
    events = [each for each in results if isinstance(each, Event)]
    assert counts.lines == len(results) == 10_000
    assert counts.lines == counts.visits + counts.skipped.total() + counts.unparsable
    assert [each.line for each in results if isinstance(each, Unparsable)] == [8899]
    assert len({each.event_id for each in events}) == counts.visits > 4000
    assert counts.machines > 2000
    assert all(
        each.machine for each in events if "bot" in str(each.fields.get("user_agent")).lower()
    )
