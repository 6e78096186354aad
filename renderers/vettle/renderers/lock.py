"""`.vettle/lock.json`: which files vettle wrote, so that it never touches another one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field

from vettle.engine.errors import FilesRefused
from vettle.engine.project import RENDERED_FILES
from vettle.engine.records import Record, Target
from vettle.engine.root import STATE_FOLDER
from vettle.renderers.assistants import skill
from vettle.renderers.assistants.targets import BLOCK_PATHS, SCOPING
from vettle.renderers.budget import Line
from vettle.renderers.documents import Kind
from vettle.renderers.globs import NotPortable, canonical

PATH = f"{STATE_FOLDER}/{RENDERED_FILES}"

_OWN_NAME = re.compile(r"vettle(-[a-z0-9-]{1,40})?\.(md|mdc|instructions\.md)")
# The paths of files are told to people and to agents, so a stranger's lock file may say nothing by them.
_PATH = re.compile(r"[A-Za-z0-9_./-]{1,200}")

LineHash = Annotated[str, Field(pattern="^[0-9a-f]{12}$")]


class Entry(Record):
    """One file vettle wrote: a whole file with its `sha256`, or a file of the user's with a block.

    `created` says that vettle made the file that carries the block. `rules` are the rules in it with the hashes of their lines, and `globs` the paths
    they are about. `previous` is the hash of the text that a write in progress replaces.
    """

    target: Target
    kind: Kind
    sha256: str = ""
    previous: str = ""
    created: bool = False
    rules: dict[str, LineHash] = Field(default_factory=dict)
    globs: tuple[str, ...] = ()


class Lock(Record):
    """Everything vettle wrote in one project, with the folders it made for that.

    `named` are the targets that somebody rendered by name; `auto` keeps their files.
    """

    version: Literal[1] = 1
    files: dict[str, Entry]
    directories: list[str]
    named: list[Target] = Field(default_factory=list)


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
        own = path in BLOCK_PATHS if entry.kind == "block" else is_own_name(path)
        if not own or not _PATH.fullmatch(path) or not _is_inside(path) or not _has_globs_of(entry):
            raise _damaged(f"it lists {path[:80]!r} in a way in which vettle never writes it")
    for path in lock.directories:
        if not _is_inside(path):
            raise _damaged(f"it lists the folder {path[:80]!r}, which vettle never makes")
    return lock


def line_hash(text: str) -> str:
    """Return the short hash by which a line is recognised."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def hashes(lines: Iterable[Line]) -> dict[str, str]:
    """Return the rules of these lines with the hashes of their texts."""
    return {line.rule_id: line_hash(line.text) for line in lines}


def dump(lock: Lock) -> bytes:
    """Return the lock file's bytes: sorted and without defaults, so that it merges well."""
    content = lock.model_dump(mode="json", exclude_defaults=True) | {"version": lock.version}
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()


def is_own_name(path: str) -> bool:
    """Tell whether a whole file of vettle's may be called so."""
    return path == skill.PATH or _OWN_NAME.fullmatch(PurePosixPath(path).name) is not None


def _has_globs_of(entry: Entry) -> bool:
    """Tell whether the paths are such as vettle writes, for a target that can have any."""
    if not entry.globs:
        return True
    try:
        return entry.target in SCOPING and canonical(entry.globs) == entry.globs
    except NotPortable:
        return False


def _is_inside(path: str) -> bool:
    """Tell whether this is a plain relative path, as vettle writes it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and "/".join(parts) == path and ".." not in parts and not set(path) & set("\\:\0")


def _damaged(problem: str) -> FilesRefused:
    return FilesRefused(
        f"{PATH}: damaged, or written by a newer vettle: {problem}. Restore it from version control, or delete "
        "it together with the files named vettle*, then render again."
    )
