"""Is a database file still the one that was opened? Deleted or replaced, it takes writes that nobody can read."""

from __future__ import annotations

import os
from pathlib import Path

_SUFFIXES = ("", "-wal")


class SameFiles:
    """The identities of the files of one open SQLite database.

    An open file lives on when its name is gone: what is written to it then is lost when the last process that
    has it open ends, and a second process that made the file anew never sees it. Looking costs two calls of
    `stat`.
    """

    def __init__(self, path: Path) -> None:
        """Remember what the names mean now; the connection must have read from the database already."""
        self._names = [f"{path}{suffix}" for suffix in _SUFFIXES]
        self._known = [_identity(name) for name in self._names]

    def gone(self) -> str:
        """Return the name of a file that was deleted or replaced since, or ""."""
        for name, known in zip(self._names, self._known, strict=True):
            if known is not None and _identity(name) != known:
                return Path(name).name
        return ""


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - twice as quick as that of a Path, and called at every write
    except OSError:
        return None
    return found.st_dev, found.st_ino
