"""Whether a path is one that a glob is about.

A glob means the same here as in the files that are rendered from it: it matches at any depth, as if it
began with `**/`, a final slash means everything below, braces list alternatives, and case matters.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|.", re.DOTALL)
_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=4_096)
def _pattern(glob: str) -> re.Pattern[str]:
    relative = glob.removeprefix("./").lstrip("/")
    whole = relative + "**" if relative.endswith("/") else relative
    try:
        return re.compile(f"(?:.*/)?{_translated(_TOKEN.findall(whole))}", re.DOTALL)
    except re.error:
        return re.compile(re.escape(glob))


def _translated(pieces: list[str]) -> str:
    """Translate the pieces of a glob into a regular expression; braces without an end are text."""
    open_groups: list[int] = []
    parts: list[str] = []
    for piece in pieces:
        if piece == "{":
            open_groups.append(len(parts))
            parts.append(r"\{")
        elif piece == "}" and open_groups:
            parts[open_groups.pop()] = "(?:"
            parts.append(")")
        elif piece == ",":
            parts.append("," if not open_groups else "|")
        else:
            parts.append(_WILDCARDS.get(piece) or _character(piece))
    for start in open_groups:
        # A brace that is never closed lists nothing, so its commas are text.
        parts[start:] = [part if part != "|" else "," for part in parts[start:]]
    return "".join(parts)


def _character(piece: str) -> str:
    if len(piece) < 3 or piece[0] != "[":
        return re.escape(piece)
    inner = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
    return f"[{'^' + inner[1:] if inner[0] == '!' else inner}]"


def matches(glob: str, path: str) -> bool:
    """Return whether the path, relative to the project root and with forward slashes, matches the glob."""
    return _pattern(glob).fullmatch(path) is not None
