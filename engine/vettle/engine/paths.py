"""Whether a path is one that a glob is about.

A glob means the same here as in the files that are rendered from it: it matches at any depth, as if it
began with `**/`, and case matters.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|\{[^{}]*\}|.", re.DOTALL)


@lru_cache(maxsize=4_096)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = []
    for part in _TOKEN.findall(glob.removeprefix("./").lstrip("/")):
        if part == "**/":
            parts.append("(?:.*/)?")
        elif part == "**":
            parts.append(".*")
        elif part == "*":
            parts.append("[^/]*")
        elif part == "?":
            parts.append("[^/]")
        elif len(part) > 2 and part[0] == "[":
            inner = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{'^' + inner[1:] if inner[0] == '!' else inner}]")
        elif len(part) > 2 and part[0] == "{":
            parts.append(f"(?:{'|'.join(re.escape(choice) for choice in part[1:-1].split(','))})")
        else:
            parts.append(re.escape(part))
    try:
        return re.compile(f"(?:.*/)?{''.join(parts)}")
    except re.error:
        return re.compile(re.escape(glob))


def matches(glob: str, path: str) -> bool:
    """Return whether the path, relative to the project root and with forward slashes, matches the glob."""
    return _pattern(glob).fullmatch(path) is not None
