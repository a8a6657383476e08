"""Laws of an access log's ids, however the log is cut into files."""

import io

from hypothesis import given
from hypothesis import strategies as st

from scoring.event import Event
from sources.access_log import Counts, read_log


def content(page: int) -> bytes:
    return (
        f'203.0.113.9 - - [17/May/2015:10:05:{page:02d} +0000] "GET /{page} HTTP/1.1" 200 1'
        ' "-" "Mozilla/5.0"'
    ).encode()


def ids(pages: list[int]) -> list[str]:
    log = io.BytesIO(b"\n".join(map(content, pages)))
    events = list(read_log(log, salt=b"salt", counts=Counts()))
    return [each.event_id for each in events if isinstance(each, Event)]


PAGES = st.lists(st.integers(0, 9), max_size=30)
CUTS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)


@given(pages=PAGES)
def test_every_line_is_a_visit_of_its_own(pages: list[int]) -> None:
    """Within a file no two visits share an id, and reading it again gives the same ids."""
    assert len(set(ids(pages))) == len(pages)
    assert ids(pages) == ids(pages)


@given(pages=PAGES, cuts=CUTS)
def test_no_cut_doubles_a_visit(pages: list[int], cuts: list[int]) -> None:
    """Two files that overlap, or meet, give no id that the whole log does not give."""
    begin, end = cuts
    assert {*ids(pages[:end]), *ids(pages[begin:])} <= set(ids(pages))


@given(pages=st.permutations(range(10)), cuts=CUTS)
def test_distinct_lines_survive_rotation(pages: list[int], cuts: list[int]) -> None:
    """Where lines are distinct, overlapping files give the ids of the whole log, line for line."""
    begin, end = cuts
    assert ids(pages[:end]) == ids(pages)[:end]
    assert ids(pages[begin:]) == ids(pages)[begin:]
