"""A reader of JSON with comments and trailing commas that remembers where everything is.

VS Code, Cursor, Gemini and Devin accept such files. No kept library for Python edits them in place, and one that
parses and prints again would lose what people wrote between the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vettle.server.clients.formats.base import BYTE_ORDER_MARK, Unusable, line_at

_DEEPEST = 200
_BETWEEN = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_ATOM = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")


@dataclass(frozen=True)
class Member:
    """A member of an object: from the quote of its key to the end of its value, and its comma (-1 if it has none)."""

    key: str
    start: int
    node: Node
    comma: int

    @property
    def end(self) -> int:
        """Where its value ends."""
        return self.node.end


@dataclass(frozen=True)
class Node:
    """A value and where it is. `tail` is where the last thing before an object's closing brace ends."""

    value: Any
    start: int
    end: int
    members: tuple[Member, ...] = ()
    tail: int = 0

    def member(self, key: str) -> Member | None:
        """Return the member that counts: of several with one key, every reader takes the last."""
        return next((member for member in reversed(self.members) if member.key == key), None)


def parse(text: str) -> Node:
    """Return the one value of the text; raises `Unusable` with the line where it is none."""
    scanner = _Scanner(text)
    node = scanner.value(scanner.skip(1 if text.startswith(BYTE_ORDER_MARK) else 0), 0)
    end = scanner.skip(node.end)
    if end != len(text):
        raise scanner.unusable(end, "something follows the end of the value")
    return node


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text

    def unusable(self, offset: int, problem: str) -> Unusable:
        return Unusable(line_at(self.text, offset), problem)

    def skip(self, offset: int) -> int:
        """Return where the white space and comments at an offset end."""
        found = _BETWEEN.match(self.text, offset)
        return found.end() if found else offset

    def value(self, offset: int, depth: int) -> Node:
        opening = self.text[offset : offset + 1]
        if depth > _DEEPEST:
            raise self.unusable(offset, f"nested more than {_DEEPEST} deep")
        if opening == "{":
            return self.object(offset, depth)
        if opening == "[":
            return self.array(offset, depth)
        found = _STRING.match(self.text, offset) or _ATOM.match(self.text, offset)
        if not found:
            raise self.unusable(offset, "a value is missing, or it is not JSON")
        return Node(json.loads(found.group()), offset, found.end())

    def object(self, offset: int, depth: int) -> Node:
        members = tuple(self.members(offset + 1, depth))
        last = members[-1] if members else None
        after = offset + 1 if last is None else max(last.end, last.comma + 1)
        closing = self.skip(after)
        if self.text[closing : closing + 1] != "}":
            raise self.unusable(closing, 'expected "," or "}"')
        tail = after + len(self.text[after:closing].rstrip(" \t\r\n"))
        return Node({one.key: one.node.value for one in members}, offset, closing + 1, members, tail)

    def members(self, offset: int, depth: int) -> Iterator[Member]:
        offset = self.skip(offset)
        while self.text[offset : offset + 1] not in ("}", ""):
            key = _STRING.match(self.text, offset)
            if not key:
                raise self.unusable(offset, "expected a key in double quotes")
            colon = self.skip(key.end())
            if self.text[colon : colon + 1] != ":":
                raise self.unusable(colon, 'expected ":"')
            node = self.value(self.skip(colon + 1), depth + 1)
            comma = self.comma(node.end)
            yield Member(json.loads(key.group()), offset, node, comma)
            if comma < 0:
                return
            offset = self.skip(comma + 1)

    def array(self, offset: int, depth: int) -> Node:
        values: list[Any] = []
        place = self.skip(offset + 1)
        while self.text[place : place + 1] not in ("]", ""):
            node = self.value(place, depth + 1)
            values.append(node.value)
            comma = self.comma(node.end)
            place = self.skip(node.end if comma < 0 else comma + 1)
            if comma < 0:
                break
        if self.text[place : place + 1] != "]":
            raise self.unusable(place, 'expected "," or "]"')
        return Node(values, offset, place + 1)

    def comma(self, offset: int) -> int:
        """Return where the comma after a value is, or -1."""
        place = self.skip(offset)
        return place if self.text[place : place + 1] == "," else -1
