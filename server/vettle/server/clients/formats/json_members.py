"""JSON, with or without comments: one member goes in after the last one, and comes out alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vettle.server.clients.formats.base import (
    BYTE_ORDER_MARK,
    Format,
    Keys,
    Segment,
    Unusable,
    is_blank,
    is_one_line,
    line_at,
    nested,
    newline_of,
    without,
)
from vettle.server.clients.formats.jsonc import Member, Node, parse

_BLANKS = " \t\r\n"


def _servers(text: str, keys: Keys) -> Mapping[str, Any]:
    if is_blank(text):
        return {}
    try:
        # Most files are plain JSON, and some have megabytes: this is fifty times faster than finding every place.
        found: Any = json.loads(text.removeprefix(BYTE_ORDER_MARK))
        for key in keys:
            found = found.get(key, {})
        return dict(found.items())
    except (ValueError, AttributeError, RecursionError):
        _, node, missing = _container(text, keys)
        return {} if missing else dict(node.value)


def _others(text: str, keys: Keys, name: str) -> Any:
    if is_blank(text):
        return {}
    try:
        data = json.loads(text.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RecursionError):
        data = parse(text).value
    return without(data, (*keys, name))


def _render(keys: Keys, name: str, entry: Mapping[str, Any]) -> str:
    return json.dumps(nested((*keys, name), entry), indent=2, ensure_ascii=False) + "\n"


def _insert(text: str, keys: Keys, name: str, entry: Mapping[str, Any]) -> list[Segment]:
    if is_blank(text):
        return [Segment(len(text), _render(keys, name, entry))]
    root, node, missing = _container(text, keys)
    key, *inner = [*missing, name]
    value = nested(tuple(inner), entry)
    last = node.members[-1] if node.members else None
    around = text[node.start : node.end] if last else text.strip()
    inline = is_one_line(around) and bool(root.members)
    member = (
        (" " if last else "") + json.dumps(key, ensure_ascii=False) + ": " + _dumps(value)
        if inline
        else _lines(text, root, node, key, value)
    )
    if last is None:
        return [Segment(node.tail, member)]
    if last.comma >= 0:
        # Whoever ends the last member with a comma gets one after ours too.
        return [Segment(node.tail, _with_comma(member))]
    if last.end == node.tail:
        return [Segment(node.tail, "," + member)]
    return [Segment(last.end, ","), Segment(node.tail, member)]


def _with_comma(member: str) -> str:
    """Return a member with a comma right behind its value."""
    value = member.rstrip(_BLANKS)
    return value + "," + member[len(value) :]


def _lines(text: str, root: Node, node: Node, key: str, value: Any) -> str:
    """Return a member on lines of its own, indented as its neighbours are."""
    newline, unit = newline_of(text), _unit(text, root)
    outer = _indent(text, node.start)
    last = node.members[-1] if node.members else None
    indent = _indent(text, last.start) if last and _begins_line(text, last.start) else outer + unit
    body = _dumps(value, unit).replace("\n", newline + indent)
    closing = newline + outer if is_one_line(text[node.tail : node.end]) else ""
    return f"{newline}{indent}{json.dumps(key, ensure_ascii=False)}: {body}{closing}"


def _dumps(value: Any, indent: str | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _indent(text: str, offset: int) -> str:
    """Return the white space at the beginning of the line in which a character is."""
    line = text[text.rfind("\n", 0, offset) + 1 : offset].removeprefix(BYTE_ORDER_MARK)
    return line[: len(line) - len(line.lstrip(" \t"))]


def _begins_line(text: str, offset: int) -> bool:
    return not text[text.rfind("\n", 0, offset) + 1 : offset].strip()


def _unit(text: str, root: Node) -> str:
    """Return by how much the text indents: the indent of the outermost members, or two blanks."""
    found = (_indent(text, one.start) for one in root.members if _begins_line(text, one.start))
    return next((indent for indent in found if indent), "  ")


def _container(text: str, keys: Keys) -> tuple[Node, Node, list[str]]:
    """Return the whole, the innermost object on the way that is there, and the keys that are missing."""
    node = root = parse(text)
    for number in range(len(keys) + 1):
        if not isinstance(node.value, dict):
            where = f'"{keys[number - 1]}"' if number else "the file"
            raise Unusable(line_at(text, node.start), f"{where} is not an object")
        member = node.member(keys[number]) if number < len(keys) else None
        if member is None:
            return root, node, list(keys[number:])
        node = member.node
    raise AssertionError


def _remove(text: str, keys: Keys, name: str, written: str) -> str:
    del written
    _, node, missing = _container(text, keys)
    member = None if missing else node.member(name)
    if member is None:
        return text
    number = node.members.index(member)
    previous = node.members[number - 1] if number else None
    rest = [(one.key, one.node.value) for one in node.members if one is not member]
    for shorter in _without(text, member, previous):
        try:
            _, after, gone = _container(shorter, keys)
        except Unusable:
            continue
        if not gone and [(one.key, one.node.value) for one in after.members] == rest:
            return shorter
    raise Unusable(line_at(text, member.start), f'"{name}" cannot be taken out safely')


def _without(text: str, member: Member, previous: Member | None) -> Iterator[str]:
    """Yield the text without a member, the neatest way first.

    The white space before it goes too, unless a comment at the end of the line before would then swallow what follows.
    """
    end = member.end if member.comma < 0 else member.comma + 1
    neat = len(text[: member.start].rstrip(_BLANKS))
    for start in (neat, member.start):
        shorter = text[:start] + text[end:]
        if member.comma < 0 and previous is not None:
            shorter = shorter[: previous.comma] + shorter[previous.comma + 1 :]
        yield shorter


JSON = Format(servers=_servers, others=_others, insert=_insert, remove=_remove, render=_render)
