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
    head : str
        Up to the VALUES or FORMAT clause.
    table, columns : str
        As written; no columns: all.
    format : str or None
        Of the rows; None: ``VALUES``, or not said.
    data : str
        What follows the FORMAT clause.
    """

    head: str
    table: str
    columns: str
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
            return _awaited(sql, token, *_target(sql, target))
        if token.depth == 0 and token.upper == "FORMAT":
            return _with_format(sql, token, next(tokens, None), *_target(sql, target))
        if token.upper != ";":
            target.append(token)
    table, columns = _target(sql, target)
    head = sql[: target[-1].end] if target else sql
    return DataInsert(head=head, table=table, columns=columns, format=None, data="")


def _target(sql: str, tokens: list[_Token]) -> tuple[str, str]:
    """Return the table and the columns, as written."""
    if tokens and tokens[0].upper == "TABLE":
        tokens = tokens[1:]
    name = list(takewhile(lambda token: token.upper not in ("(", "SETTINGS"), tokens))
    table = sql[name[0].start : name[-1].end] if name else ""
    after = tokens[len(name) :]
    if not after or after[0].upper != "(":
        return table, ""
    closing = next((token for token in after if token.upper == ")" and token.depth == 0), after[-1])
    return table, sql[after[0].end : closing.start]


def _awaited(sql: str, values: _Token, table: str, columns: str) -> DataInsert | None:
    following = next((token for token in _tokens(sql[values.end :]) if token.upper != ";"), None)
    if following is not None:
        return None  # the values are here
    return DataInsert(head=sql[: values.start], table=table, columns=columns, format=None, data="")


def _with_format(
    sql: str, clause: _Token, name: _Token | None, table: str, columns: str
) -> DataInsert | None:
    if name is None:
        return None
    data = sql[name.end :].lstrip(" \t")
    return DataInsert(
        head=sql[: clause.start],
        table=table,
        columns=columns,
        format=sql[name.start : name.end],
        data=data.removeprefix(";").removeprefix("\r").removeprefix("\n"),
    )
