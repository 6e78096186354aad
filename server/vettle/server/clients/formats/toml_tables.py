"""TOML: a table of our own goes to the end of the file, and comes out alone."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from vettle.server.clients.formats.base import (
    BYTE_ORDER_MARK,
    Format,
    Keys,
    Segment,
    Unusable,
    is_blank,
    newline_of,
    without,
)

_LINE = re.compile(r"at line (\d+)")
_HEADER = re.compile(r"[ \t]*\[")


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix(BYTE_ORDER_MARK))
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        problem = str(error).partition(" (at")[0]
        raise Unusable(int(found.group(1)) if found else text.count("\n") + 1, problem) from error
    except RecursionError as error:
        raise Unusable(1, "nested too deep") from error


def _servers(text: str, keys: Keys) -> Mapping[str, Any]:
    found: Any = _parse(text)
    for key in keys:
        found = found.get(key, {})
        if not isinstance(found, dict):
            raise Unusable(1, f"{key} is not a table")
    return dict(found)


def _others(text: str, keys: Keys, name: str) -> Any:
    return without(_parse(text), (*keys, name))


def _render(keys: Keys, name: str, entry: Mapping[str, Any]) -> str:
    # Imported here: whoever connects no client that keeps TOML does not need it.
    import tomlkit

    document = tomlkit.document()
    table: Any = document
    for key in keys:
        table[key] = tomlkit.table(is_super_table=True)
        table = table[key]
    table[name] = {key: list(value) if isinstance(value, tuple) else value for key, value in entry.items()}
    return tomlkit.dumps(document)


def _insert(text: str, keys: Keys, name: str, entry: Mapping[str, Any]) -> list[Segment]:
    newline = newline_of(text)
    block = _render(keys, name, entry).replace("\n", newline)
    if not is_blank(text):
        block = (newline if text.endswith("\n") else newline * 2) + block
    segments = [Segment(len(text), block)]
    try:
        _parse(text + block)
    except Unusable as error:
        _parse(text)
        raise Unusable(
            text.count("\n") + 1,
            f"a table [{'.'.join((*keys, name))}] cannot follow, because {error.problem}",
        ) from error
    return segments


def _remove(text: str, keys: Keys, name: str, written: str) -> str:
    if name not in _servers(text, keys):
        return text
    rest = _others(text, keys, name)
    candidates = [text.replace(written, "")] if written and text.count(written) == 1 else []
    for shorter in (*candidates, *_without_table(text, (*keys, name))):
        if _is_rest(shorter, rest, keys, name):
            return shorter
    raise Unusable(1, f"[{'.'.join((*keys, name))}] cannot be taken out safely")


def _is_rest(text: str, rest: Any, keys: Keys, name: str) -> bool:
    """Tell whether a text says what is left without our table."""
    try:
        return name not in _servers(text, keys) and _others(text, keys, name) == rest
    except Unusable:
        return False


def _without_table(text: str, path: Keys) -> Iterator[str]:
    """Yield the text without what looks like the table, from its header to its last line.

    Comments before the next header stay, they are about that. What looks like a header may be a line of a long string.
    """
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    lines = text.removeprefix(mark).splitlines(keepends=True)
    dotted = re.escape(".".join(path))
    header = re.compile(rf"[ \t]*\[{dotted}(?:\.[^\]]*)?\]")
    for start in (number for number, line in enumerate(lines) if header.match(line)):
        end = start + 1
        while end < len(lines) and (header.match(lines[end]) or not _HEADER.match(lines[end])):
            end += 1
        while end < len(lines) and lines[end - 1].lstrip()[:1] in ("", "#"):
            end -= 1
        yield "".join([mark, *lines[:start], *lines[end:]])


TOML = Format(servers=_servers, others=_others, insert=_insert, remove=_remove, render=_render)
