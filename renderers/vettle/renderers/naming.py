"""File names for rules about some paths, derived from the paths alone and never from rule text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

MAX_LENGTH = 40

_LANGUAGES = {
    "c": "c", "cc": "cpp", "cpp": "cpp", "cs": "csharp", "css": "css", "go": "go", "html": "html",
    "java": "java", "js": "javascript", "json": "json", "jsx": "javascript", "kt": "kotlin", "md": "markdown",
    "php": "php", "py": "python", "pyi": "python", "rb": "ruby", "rs": "rust", "sh": "shell", "sql": "sql",
    "swift": "swift", "toml": "toml", "ts": "typescript", "tsx": "typescript", "yaml": "yaml", "yml": "yaml",
}  # fmt: skip
_EXTENSION = re.compile(r"\*\*/\*\.([a-z]+)")
_SEPARATORS = re.compile(r"[^a-z0-9]+")

Globs = tuple[str, ...]


def slugs(glob_sets: Iterable[Globs]) -> dict[Globs, str]:
    """Name each set of canonical globs: `[a-z0-9-]{1,40}`, no two alike, whatever order they come in.

    Where two sets would share a name, the first in sorted order keeps it and the others carry a hash.
    """
    names: dict[Globs, str] = {}
    clashing: list[Globs] = []
    for globs in sorted(set(glob_sets)):
        name = _plain_name(globs)
        if name in names.values():
            clashing.append(globs)
        else:
            names[globs] = name
    for globs in clashing:
        names[globs] = _hashed_name(globs, set(names.values()))
    return names


def _plain_name(globs: Globs) -> str:
    extensions = [_EXTENSION.fullmatch(glob) for glob in globs]
    languages = {_LANGUAGES.get(match[1], "") if match else "" for match in extensions}
    if len(languages) == 1 and "" not in languages:
        return languages.pop()
    words = _SEPARATORS.sub("-", "-".join(globs).lower()).strip("-")
    return words[:MAX_LENGTH].strip("-") or "all"


def _hashed_name(globs: Globs, taken: set[str]) -> str:
    digest = hashlib.sha256("\n".join(globs).encode()).hexdigest()
    for length in range(6, MAX_LENGTH):
        stem = _plain_name(globs)[: MAX_LENGTH - 1 - length].strip("-")
        name = f"{stem}-{digest[:length]}".strip("-")
        if name not in taken:
            return name
    raise AssertionError("two sets of globs have the same hash")
