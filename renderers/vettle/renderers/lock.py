"""`.vettle/lock.json`: which files vettle wrote, so that it never touches another one."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Literal

from vettle.engine.errors import FilesRefused
from vettle.engine.records import Record, Target
from vettle.renderers.documents import Kind
from vettle.renderers.targets import BLOCK_PATHS

PATH = ".vettle/lock.json"

_OWN_NAME = re.compile(r"vettle(-[a-z0-9-]{1,40})?\.(md|mdc|instructions\.md)")


class Entry(Record):
    """One file vettle wrote: a whole file with its `sha256`, or a file of the user's with a block.

    `preamble` is what vettle put before the block of a file that it created, and None where the user's
    file was there before.
    """

    target: Target
    kind: Kind
    sha256: str = ""
    preamble: str | None = None


class Lock(Record):
    """Everything vettle wrote in one project, with the folders it made for that."""

    version: Literal[1] = 1
    files: dict[str, Entry]
    directories: list[str]


def parse(data: bytes | None) -> Lock:
    """Read the lock file; raises FilesRefused for one that could not have come from this version.

    The file is committed, so it may come from strangers: a path that vettle would never write is refused,
    because an entry is a permission to overwrite and to delete.
    """
    if data is None:
        return Lock(files={}, directories=[])
    try:
        lock = Lock.model_validate_json(data)
    except ValueError as error:
        raise _damaged(str(error).splitlines()[0]) from None
    for path, entry in lock.files.items():
        own = path in BLOCK_PATHS if entry.kind == "block" else _OWN_NAME.fullmatch(PurePosixPath(path).name)
        if not own or not _is_inside(path):
            raise _damaged(f"it lists {path[:80]!r}, which vettle never writes")
    for path in lock.directories:
        if not _is_inside(path):
            raise _damaged(f"it lists the folder {path[:80]!r}, which vettle never makes")
    return lock


def dump(lock: Lock) -> bytes:
    """Return the lock file's bytes: sorted, so that it merges well."""
    content = lock.model_dump(mode="json", exclude_none=True)
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()


def _is_inside(path: str) -> bool:
    """Tell whether this is a plain relative path, as vettle writes it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and "/".join(parts) == path and ".." not in parts and not set(path) & set("\\:\0")


def _damaged(problem: str) -> FilesRefused:
    return FilesRefused(
        f"{PATH}: damaged, or written by a newer vettle: {problem}. Restore it from version control, or delete "
        "it together with the files named vettle*, then render again."
    )
