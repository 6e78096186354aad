"""Elements of arrays in JSON with comments: one goes in at the end, and comes out, and all else stays as it is."""

from __future__ import annotations

import json
import re
from typing import Any

from vettle.server.clients.formats.base import Segment, Unusable, line_at, newline_of, put_in
from vettle.server.clients.formats.json_members import JSON
from vettle.server.clients.formats.jsonc import Node, parse

_HOOKS = "hooks"
_SPACE = re.compile(r"[ \t\r\n]*")


def insert(text: str, event: str, group: dict[str, Any]) -> list[Segment]:
    """Return what to put in so that the hooks of an event end with one more (`Unusable` where that cannot be done)."""
    root = parse(text)
    array = _array(root, event)
    if array is None:
        added: Any = [group]
        segments = JSON.insert(text, (_HOOKS,), event, added)
    elif not isinstance(array.value, list):
        raise Unusable(line_at(text, array.start), f'"{event}" is not a list')
    else:
        segments = _appended(text, array, group)
    hooks = root.value.get(_HOOKS) or {}
    expected = {**root.value, _HOOKS: {**hooks, event: [*hooks.get(event, []), group]}}
    if parse(put_in(text, segments)).value != expected:
        raise Unusable(line_at(text, array.end if array else 0), "it cannot be edited safely")
    return segments


def _array(root: Node, event: str) -> Node | None:
    """Return the value of an event's hooks, None where there are none."""
    hooks = root.member(_HOOKS)
    found = hooks.node.member(event) if hooks else None
    return found.node if found else None


def _appended(text: str, array: Node, group: dict[str, Any]) -> list[Segment]:
    """Return a new last element, on lines of its own as its neighbours are."""
    closing = array.end - 1
    last = len(text[:closing].rstrip())
    element = json.dumps(group, ensure_ascii=False)
    if "\n" in text[array.start : array.end]:
        line = text[text.rfind("\n", 0, closing) + 1 : closing]
        indent = line[: len(line) - len(line.lstrip(" \t"))] + "  "
        element = newline_of(text) + indent + element
    comma = "" if not array.value or text[last - 1] == "," else ","
    if comma and not element[0].isspace():
        comma = ", "
    return [Segment(last, comma + element)]


def remove(text: str, event: str, is_ours: Any) -> str:
    """Return the text without the elements of an event that are ours, and without what is empty then.

    Raises:
        Unusable: There are comments between them, so nothing is certain.
    """
    root = parse(text)
    array = _array(root, event)
    if array is None or not isinstance(array.value, list) or not any(map(is_ours, array.value)):
        return text
    kept = [group for group in array.value if not is_ours(group)]
    if not kept:
        shorter = JSON.remove(text, (_HOOKS,), event, "")
        return shorter if parse(shorter).value[_HOOKS] else JSON.remove(shorter, (), _HOOKS, "")
    for start, end, _ in reversed([span for span in _spans(text, array) if is_ours(span[2])]):
        text = text[:start] + text[end:]
    rest = _array(parse(text), event)
    if rest is None or rest.value != kept:
        raise Unusable(line_at(text, array.start), f'our hook of "{event}" cannot be taken out safely')
    return text


def _spans(text: str, array: Node) -> list[tuple[int, int, Any]]:
    """Return from where to where each element is taken out, with its value: with the comma that goes with it."""
    decoder, spans = json.JSONDecoder(), []
    place = array.start + 1
    for number in range(len(array.value)):
        begin = _after_space(text, place)
        try:
            value, end = decoder.raw_decode(text, begin)
        except ValueError:
            raise Unusable(line_at(text, begin), "there is a comment between the hooks") from None
        comma = _after_space(text, end)
        follows = text[comma] == ","
        # The first takes the comma behind it, every other one the comma before it.
        after = comma + 1 if number == 0 and follows else end
        before = place if number == 0 else place - 1
        spans.append((before, after, value))
        place = comma + 1 if follows else end
    return spans


def _after_space(text: str, offset: int) -> int:
    found = _SPACE.match(text, offset)
    return found.end() if found else offset
