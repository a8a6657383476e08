"""YAML text to plain data, with the line of everything in it.

YAML as in its version 1.2: `on`, `off`, `yes` and `no` (also the country) are words, numbers are
decimal, and there are no dates. JSON is YAML.
"""

import re
from dataclasses import dataclass, field
from typing import Protocol

from yaml.composer import Composer
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from schemas.model_file.problems import Path, Problem, path_text

BYTES_MAX = 256 * 1024
DEPTH_MAX = 20
NODES_MAX = 50_000
"""Values in a file, those that aliases repeat counted each time."""

_TAG = "tag:yaml.org,2002:"


class _Resolver(BaseResolver):
    """Which plain scalars are not text."""


_Resolver.add_implicit_resolver(
    _TAG + "bool", re.compile(r"(true|false)\Z", re.IGNORECASE), list("tTfF")
)
_Resolver.add_implicit_resolver(
    _TAG + "null", re.compile(r"(~|null|)\Z", re.IGNORECASE), ["~", "n", "N", ""]
)
_Resolver.add_implicit_resolver(
    _TAG + "int", re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z"), list("-+0123456789")
)
_Resolver.add_implicit_resolver(
    _TAG + "float",
    re.compile(
        r"([-+]?([0-9]+\.[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)"
        r"|[-+]?\.inf|\.nan)\Z",
        re.IGNORECASE,
    ),
    list("-+.0123456789"),
)


class _Mark(Protocol):
    line: int
    """From 0."""


class _Loader(Reader, Scanner, Parser, Composer, _Resolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Resolver.__init__(self)


@dataclass(slots=True)
class Document:
    """A file as data.

    Parameters
    ----------
    data : object
        Mappings, lists and scalars; None if there is nothing in it.
    lines : dict of Path to int
        The line of each key and item.
    problems : list of Problem
        Double keys, and whatever else YAML allows and this does not.
    """

    data: object = None
    lines: dict[Path, int] = field(default_factory=lambda: {(): 1})
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest one above it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def report(self, path: Path, message: str, cure: str) -> None:
        """Add a problem."""
        self.problems.append(
            Problem(line=self.line(path), path=path_text(path), message=message, cure=cure)
        )


def read_document(
    text: str,
    *,
    bytes_max: int = BYTES_MAX,
    depth_max: int = DEPTH_MAX,
    nodes_max: int = NODES_MAX,
) -> Document:
    """Read YAML.

    Parameters
    ----------
    text : str
    bytes_max : int
        Size of the text as UTF-8.
    depth_max : int
        Levels of mappings and lists.
    nodes_max : int
        Values, those that aliases repeat counted each time.

    Returns
    -------
    Document
        With no data if it has problems that leave none.
    """
    document = Document()
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > bytes_max:
        document.report((), f"{size} bytes", f"a model file has at most {bytes_max}")
        return document
    try:
        deep_line = _too_deep_line(text, depth_max)
        if deep_line is not None:
            document.lines[()] = deep_line
            document.report((), f"more than {depth_max} levels", "a model file needs five")
            return document
        root = _Loader(text).get_single_node()
    except YAMLError as error:
        _report_yaml(document, error)
        return document
    if root is not None:
        document.data = _Reading(document, depth_max, nodes_max).value(root, ())
    return document


def _too_deep_line(text: str, depth_max: int) -> int | None:
    """Find where nesting is deeper than allowed, before anything descends into it."""
    loader, depth = _Loader(text), 0
    while loader.check_event():
        event = loader.get_event()  # type: ignore[no-untyped-call]  # stubs lack it
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > depth_max:
                return _line(event.start_mark)
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
    return None


def _line(mark: _Mark | None) -> int:
    return 1 if mark is None else mark.line + 1


def _report_yaml(document: Document, error: YAMLError) -> None:
    message = str(error).splitlines()[0]
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        document.lines[()] = _line(mark)
        message = f"not YAML: {error.problem or error.context}"
    elif isinstance(error, ReaderError):
        message = f"not YAML: character {error.position} is not allowed"
    document.report((), message, "look at quotes, brackets and indentation around here")


_NO_TEXT = "holds half of a surrogate pair, which is no character"


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


class _Reading:
    """Turns nodes into data."""

    def __init__(self, document: Document, depth_max: int, nodes_max: int) -> None:
        self._document = document
        self._depth_max = depth_max
        self._nodes_left = nodes_max
        self._nodes_max = nodes_max

    def value(self, node: Node, path: Path) -> object:
        """Return a node as data; what cannot be is reported and becomes None."""
        self._document.lines.setdefault(path, _line(node.start_mark))
        self._nodes_left -= 1
        if self._nodes_left < 0 or len(path) > self._depth_max:
            if self._nodes_left >= -1:
                self._document.report(
                    path,
                    f"more than {self._nodes_max} values or {self._depth_max} levels",
                    "write out what the aliases repeat, once",
                )
                self._nodes_left = -1
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, place)) for place, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        data: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                line = _line(key.start_mark)
                self._document.report(path, f"the key in line {line} is no text", "use plain keys")
                continue
            if not _is_text(key.value):
                line = _line(key.start_mark)
                self._document.report(path, f"the key in line {line} {_NO_TEXT}", "use plain keys")
                continue
            below = (*path, key.value)
            if key.value in data:
                first = self._document.line(below)
                self._document.lines[below] = _line(key.start_mark)
                self._document.report(below, f"already in line {first}", "keep one of the two")
                continue
            self._document.lines[below] = _line(key.start_mark)
            data[key.value] = self.value(value, below)
        return data

    def _scalar(self, node: Node, path: Path) -> object:
        text = str(node.value)
        if not _is_text(text):
            self._document.report(path, _NO_TEXT, "write the characters themselves, as UTF-8")
            return None
        try:
            return _plain(node.tag, text)
        except ValueError:
            self._document.report(path, f"the tag {node.tag} does not fit", "leave the tag out")
            return None


def _plain(tag: str, text: str) -> object:
    match tag.removeprefix(_TAG):
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    raise ValueError(tag)
