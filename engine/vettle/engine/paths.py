"""Whether a path is one that a glob is about.

A glob means the same here as in the files that are rendered from it: it matches at any depth, as if it
began with `**/`, a final slash means everything below, braces list alternatives, and case matters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from vettle.engine.automaton import Automaton

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|.", re.DOTALL)
_MEMBER = re.compile(r".-.|.", re.DOTALL)
_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_STARS = frozenset(_WILDCARDS.values()) - {"[^/]"}


_ANY_FOLDERS = _WILDCARDS["**/"]
_MOST_STARS, _MOST_WILDCARDS, _MOST_GROUPS = 2, 4, 1


@lru_cache(maxsize=4_096)
def _matcher(glob: str) -> Callable[[str], object]:
    # macOS hands out names in pieces (e, then an accent), and people type them whole.
    relative = unicodedata.normalize("NFC", glob).removeprefix("./").lstrip("/")
    whole = relative + "**" if relative.endswith("/") else relative
    pieces = [_ANY_FOLDERS, *_translated(_TOKEN.findall(whole))]
    try:
        if _is_tame(pieces):
            return re.compile("".join(pieces), re.DOTALL).fullmatch
        return Automaton(pieces).matches
    except re.error:
        return re.compile(re.escape(glob)).fullmatch


def _is_tame(pieces: Sequence[str]) -> bool:
    """Tell whether a regular expression, which is faster as a rule, is so for every path."""
    wildcards = [piece for piece in pieces if piece in _STARS]
    stars = sum(piece != _ANY_FOLDERS for piece in wildcards)
    few = stars <= _MOST_STARS and len(wildcards) <= _MOST_WILDCARDS
    return few and pieces.count("(?:") <= _MOST_GROUPS


def _translated(pieces: list[str]) -> list[str]:
    """Translate the pieces of a glob into those of a regular expression; braces without an end are text."""
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
    return parts


def _character(piece: str) -> str:
    """Translate a piece that is no wildcard: one character, or a class, which never matches a slash."""
    if len(piece) < 3 or piece[0] != "[":
        return re.escape(piece)
    negated = piece[1] in "!^"
    members = _MEMBER.sub(_member, piece[2:-1] if negated else piece[1:-1])
    return f"(?!/)[{'^' if negated else ''}{members}]"


def _member(match: re.Match[str]) -> str:
    return "-".join(map(re.escape, match[0][::2])) if len(match[0]) == 3 else re.escape(match[0])


def matches(glob: str, path: str) -> bool:
    """Return whether the path, relative to the project root and with forward slashes, matches the glob."""
    return bool(_matcher(glob)(path if path.isascii() else unicodedata.normalize("NFC", path)))
