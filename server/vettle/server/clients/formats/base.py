"""What every format can do, and the two things that all of them say: where text goes in, and why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

BYTE_ORDER_MARK = "\ufeff"


class Unusable(Exception):
    """Raised when a text is not what its format asks for, or has no room for an entry; `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


class Segment(NamedTuple):
    """A piece of text that was put in: `offset` counts the characters of the original text before it."""

    offset: int
    text: str


Keys = tuple[str, ...]
"""The way to the servers: ("mcpServers",)."""


@dataclass(frozen=True)
class Format:
    """A format as functions of a text; `keys` lead to the servers. All but `render` raise `Unusable`.

    `servers` returns each server by its name. `others` returns everything but one server, to compare: mappings that are
    empty without it do not count. `insert` returns what to put in for one more server. `remove` returns
    the text without a server; `written` is the text that was once put in for it, "" if that is not known.
    `render` returns a whole new file with one server.
    """

    servers: Callable[[str, Keys], Mapping[str, Any]]
    others: Callable[[str, Keys, str], Any]
    insert: Callable[[str, Keys, str, Mapping[str, Any]], list[Segment]]
    remove: Callable[[str, Keys, str, str], str]
    render: Callable[[Keys, str, Mapping[str, Any]], str]


def put_in(text: str, segments: Iterable[Segment]) -> str:
    """Return the text with the segments in it."""
    for offset, piece in reversed(list(segments)):
        text = text[:offset] + piece + text[offset:]
    return text


def take_out(text: str, segments: Iterable[Segment]) -> str | None:
    """Return the text without segments that were put in, or None if they are not where they were put."""
    for offset, piece in segments:
        if text[offset : offset + len(piece)] != piece:
            return None
        text = text[:offset] + text[offset + len(piece) :]
    return text


def composed(first: Iterable[Segment], second: Iterable[Segment]) -> list[Segment]:
    """Return what gives at once the text that the first segments give, and then the second ones put into that."""
    segments = list(first)
    # From behind, so that what was not looked at yet is still where the second ones say.
    for offset, piece in reversed(list(second)):
        segments = _with_piece(segments, offset, piece)
    return segments


def _with_piece(segments: list[Segment], offset: int, piece: str) -> list[Segment]:
    """Return segments with one more piece; `offset` counts what they put in, too."""
    for number, (place, text) in enumerate(segments):
        inside = offset - place
        if inside < 0:
            return [*segments[:number], Segment(offset, piece), *segments[number:]]
        if inside <= len(text):
            grown = Segment(place, text[:inside] + piece + text[inside:])
            return [*segments[:number], grown, *segments[number + 1 :]]
        offset -= len(text)
    return [*segments, Segment(offset, piece)]


def newline_of(text: str) -> str:
    """Return how the lines of a text end."""
    return next((end for end in ("\r\n", "\n", "\r") if end in text), "\n")


def is_one_line(text: str) -> bool:
    """Tell whether there is no line end in a text, of whatever kind."""
    return "\n" not in text and "\r" not in text


def is_blank(text: str) -> bool:
    """Tell whether there is nothing in a text."""
    return not text.removeprefix(BYTE_ORDER_MARK).strip()


def nested(keys: Keys, value: Any) -> Any:
    """Return a value inside one mapping per key."""
    for key in reversed(keys):
        value = {key: value}
    return value


def without(data: Any, path: Keys) -> Any:
    """Return mappings without the value that a path leads to, nor the mappings on the way that are empty then."""
    if not path or not isinstance(data, dict) or path[0] not in data:
        return data
    rest = {key: value for key, value in data.items() if key != path[0]}
    below = without(data[path[0]], path[1:]) if path[1:] else {}
    return rest if below == {} else {**rest, path[0]: below}


def line_at(text: str, offset: int) -> int:
    """Return the number of the line in which a character is, from 1."""
    return text.count("\n", 0, offset) + 1
