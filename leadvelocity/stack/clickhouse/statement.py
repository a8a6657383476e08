"""Reads just enough of a statement: is it an insert that data follows, and its FORMAT clause."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | --[^\n]* | /\*.*?\*/ | \#[\ !][^\n]*)
  | (?P<quoted>'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*`
             | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<word>\w+)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_ROWS_FROM_ELSEWHERE = frozenset(("SELECT", "WITH", "FROM", "FUNCTION", "WATCH"))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    upper: str
    start: int
    end: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement that the engine runs as it is.

    Parameters
    ----------
    text : str
        Without FORMAT clause and closing semicolon.
    verb : str
        Its first word, in capitals.
    format : str or None
        Of its FORMAT clause.
    """

    text: str
    verb: str
    format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataInsert:
    """An insert whose rows come apart from the statement.

    Parameters
    ----------
    table, columns, settings : str
        As written; no columns: all.
    format : str or None
        Of the rows; None: ``VALUES``, or not said.
    data : str
        What follows the FORMAT clause.
    """

    table: str
    columns: str
    settings: str
    format: str | None
    data: str


def parse(sql: str) -> Statement | DataInsert:
    """Return what `sql` is; it never fails: what it cannot read, the engine shall refuse."""
    insert = _data_insert(sql)
    if insert is not None:
        return insert
    tokens = list(_tokens(sql))
    while tokens and tokens[-1].upper == ";":
        tokens.pop()
    if not tokens:
        return Statement(text=sql, verb="", format=None)
    verb = next((token.upper for token in tokens if token.kind == "word"), "")
    end = tokens[-1].end
    for clause, name, *after in zip(tokens, tokens[1:], [*tokens[2:], None], strict=False):
        (following,) = after
        is_format = clause.upper == "FORMAT" and name.kind == "word" and clause.depth == 0
        if is_format and (following is None or following.upper == "SETTINGS"):
            text = sql[: clause.start] + sql[name.end : end]
            return Statement(text=text, verb=verb, format=sql[name.start : name.end])
    return Statement(text=sql[:end], verb=verb, format=None)


def _tokens(sql: str) -> Iterator[_Token]:
    depth = 0
    for found in _TOKEN.finditer(sql):
        kind = str(found.lastgroup)
        if kind == "tag":
            kind = "quoted"
        if kind == "space":
            continue
        upper = found[0].upper() if kind != "quoted" else ""
        if upper in (")", "]", "}"):
            depth -= 1
        yield _Token(kind, upper, found.start(), found.end(), depth)
        if upper in ("(", "[", "{"):
            depth += 1


def _data_insert(sql: str) -> DataInsert | None:
    # Token by token, and no further than needed: megabytes of inline values may follow.
    tokens = _tokens(sql)
    if [token.upper for token in islice(tokens, 2)] != ["INSERT", "INTO"]:
        return None
    target: list[_Token] = []
    for token in tokens:
        if token.depth == 0 and token.upper in _ROWS_FROM_ELSEWHERE:
            return None
        if token.depth == 0 and token.upper == "VALUES":
            return None if _says_more(sql[token.end :]) else _insert(sql, target)
        if token.depth == 0 and token.upper == "FORMAT":
            name = next(tokens, token)
            return _insert(
                sql, target, format_name=sql[name.start : name.end], data=sql[name.end :]
            )
        if token.upper != ";":
            target.append(token)
    return _insert(sql, target)


def _insert(
    sql: str, target: list[_Token], *, format_name: str | None = None, data: str = ""
) -> DataInsert:
    tokens = target[1:] if target and target[0].upper == "TABLE" else target
    name = list(takewhile(lambda token: token.upper not in ("(", "SETTINGS"), tokens))
    rest = tokens[len(name) :]
    within = list(takewhile(lambda token: token.upper != "SETTINGS" or token.depth, rest))
    return DataInsert(
        table=_text(sql, name),
        columns=_text(sql, within[1:-1]),
        settings=_text(sql, rest[len(within) :]),
        format=format_name,
        data=data.lstrip(" \t").removeprefix(";").removeprefix("\r").removeprefix("\n"),
    )


def _text(sql: str, tokens: list[_Token]) -> str:
    return sql[tokens[0].start : tokens[-1].end] if tokens else ""


def _says_more(sql: str) -> bool:
    return any(token.upper != ";" for token in _tokens(sql))
