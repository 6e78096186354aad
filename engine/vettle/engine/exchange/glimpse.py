"""Telling from the first bytes of a file what it holds, without reading it whole."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 262_144
"""How much of a file is looked at."""

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)(?:"\s*(:)?|\\?\Z)|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Outline:
    """How the first JSON value of a file begins: its bracket, and the names that stand in it at each depth."""

    opening: str
    names: dict[int, frozenset[str]]

    def has(self, depth: int, *names: str) -> bool:
        """Tell whether all the names stand at the depth; 1 is the outermost object, 2 an object in a list."""
        return self.names.get(depth, frozenset()).issuperset(names)


def outline(path: Path) -> Outline:
    """Return the outline of a file; one without names for what is no file, cannot be read or is no JSON."""
    try:
        if not path.is_file():
            # What is read of a pipe is gone, and a device has no end.
            return Outline("", {})
        with path.open("rb") as file:
            return outline_of(file.read(HEAD_BYTES).decode("utf-8-sig", "replace"))
    except OSError:
        return Outline("", {})


def outline_of(text: str) -> Outline:
    """Return the outline of the head of a file."""
    head = text.lstrip()
    names: dict[int, set[str]] = defaultdict(set)
    depth = 0
    for token in _TOKEN.finditer(head) if head[:1] in ("{", "[") else ():
        if token[1] is not None:
            if token[2]:
                names[depth].add(token[1])
            continue
        depth += 1 if token[0] in "{[" else -1
        if depth == 0:
            break
    return Outline(head[:1], {level: frozenset(found) for level, found in names.items()})


def files(path: Path, suffixes: tuple[str, ...], is_one: Callable[[Path], bool]) -> list[Path]:
    """Return the path itself if it is a file, else the files right in the folder that are told to be meant."""
    if not path.is_dir():
        return [path]
    try:
        inside = sorted(one for one in path.iterdir() if one.suffix.lower() in suffixes and one.is_file())
    except OSError:
        return []
    return [one for one in inside if is_one(one)]
