"""How a project's files stood when a session began and when it ended, as fingerprints of their lines.

Only what differs from the checked-out commit is kept, in `.vettle/snapshots/`, never the lines themselves: they may
hold secrets. Each snapshot has a salt of its own, so that fingerprints of two sessions cannot be compared.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from vettle.engine.errors import GitUnavailable, VettleError
from vettle.engine.files import in_one_step
from vettle.engine.outcomes import fingerprints
from vettle.engine.outcomes.fingerprints import Lines
from vettle.engine.records import Record
from vettle.server.git.repository import Git, blob_id, content_of

FOLDER = "snapshots"
Moment = Literal["start", "end"]
"""When in a session's life a snapshot is taken."""

_SECONDS = 10.0
_MOST_FILES = 2_000
_MOST_BYTES = 200_000_000
_MOST_KEPT = 200
_SESSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_Commit = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")]
_Salt = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class State(Record):
    """The checked-out commit ("" before the first), and the files that differ from it; None where one is not there."""

    head: _Commit
    files: dict[str, dict[_Fingerprint, Annotated[int, Field(gt=0)]] | None]


class Snapshot(Record):
    """What is kept of a session: how the files stood as it began and, once it has ended, as it ended."""

    version: Literal[1] = 1
    salt: _Salt
    start: State
    end: State | None = None


def in_repository(root: Path) -> bool:
    """Tell whether a folder may be in a git repository, by looking for `.git` at or above it; git is not asked."""
    # Unlike Path.exists, this is false and no error where a folder may not be looked into.
    return any(os.path.lexists(folder / ".git") for folder in (root, *root.parents))


def is_due(moment: Moment, state_folder: Path, session_id: str) -> bool:
    """Tell whether a snapshot is still missing: of a start there is none yet, of an end there is one of the start."""
    try:
        return _file(state_folder, session_id).exists() == (moment == "end")
    except (VettleError, OSError):
        return False


def take(moment: Moment, root: Path, state_folder: Path, session_id: str) -> bool:
    """Record how the project's files stand now, as `begin` or `finish` does."""
    return (begin if moment == "start" else finish)(root, state_folder, session_id)


def begin(root: Path, state_folder: Path, session_id: str) -> bool:
    """Record how the project's files stand as a session begins; return whether that is recorded.

    False without git, outside a repository, where more than 2,000 files differ from the commit, or where git takes
    more than 10 s: never an error, because a session must begin all the same. What was recorded first stays.
    """
    try:
        file = _file(state_folder, session_id)
        if not in_repository(root):
            return False
        if not file.exists():
            salt = secrets.token_hex(16)
            _write(file, Snapshot(salt=salt, start=taken(_git(root), bytes.fromhex(salt))))
    except (VettleError, OSError):
        return False
    return True


def finish(root: Path, state_folder: Path, session_id: str) -> bool:
    """Record how the project's files stand as a session ends; return whether that is recorded.

    False where `begin` recorded nothing, else as there. What was recorded first stays.
    """
    try:
        file = _file(state_folder, session_id)
        snapshot = load(state_folder, session_id)
        if snapshot is not None and snapshot.end is None:
            end = taken(_git(root), bytes.fromhex(snapshot.salt))
            _write(file, _essential(snapshot.start, end, snapshot.salt))
    except (VettleError, OSError):
        return False
    return snapshot is not None


def load(state_folder: Path, session_id: str) -> Snapshot | None:
    """Return what was recorded of a session, or None.

    Raises:
        GitUnavailable: The file is not what was written.
    """
    file = _file(state_folder, session_id)
    try:
        return Snapshot.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise GitUnavailable(
            f"{file}: is damaged, so what the session changed is not known. Nothing was recorded. "
            "Name the commits instead: --proposed REV --accepted REV"
        ) from error


def taken(git: Git, salt: bytes) -> State:
    """Return how the files stand now (GitUnavailable, also where too much differs to be read)."""
    head = git.head()
    files: dict[str, dict[str, int] | None] = {}
    room = _MOST_BYTES
    for one in git.differing(head):
        content = content_of(git.root / one.path, room)
        room -= len(content or b"")
        if content is None:
            if one.blob:
                files[one.path] = None
        elif not _same(content, one.blob):
            files[one.path] = dict(_lines(content, head, salt))
        if len(files) > _MOST_FILES:
            raise GitUnavailable(
                f"More than {_MOST_FILES:,} files differ from the commit. Commit or ignore them."
            )
    return State(head=head, files=files)


def _git(root: Path) -> Git:
    return Git(root, deadline=time.monotonic() + _SECONDS)


def _essential(start: State, end: State, salt: str) -> Snapshot:
    """Return a session's snapshot without the files that somebody else had changed before, and nobody since."""
    if start.head == end.head:
        same = {path for path in start.files if path in end.files and start.files[path] == end.files[path]}
        start, end = (
            State(head=state.head, files={path: state.files[path] for path in state.files.keys() - same})
            for state in (start, end)
        )
    return Snapshot(salt=salt, start=start, end=end)


def _same(content: bytes, blob: str) -> bool:
    """Tell whether a file that git takes for changed, because it was touched or copied, holds what was committed."""
    return bool(blob) and blob in (blob_id(content, blob), blob_id(content.replace(b"\r\n", b"\n"), blob))


def _lines(content: bytes, head: str, salt: bytes) -> Lines:
    if fingerprints.is_text(content):
        return fingerprints.of_text(content, salt)
    return fingerprints.of_whole(blob_id(content, head), salt)


def _file(state_folder: Path, session_id: str) -> Path:
    folder = state_folder / FOLDER
    if not _SESSION_ID.fullmatch(session_id) or folder.is_symlink():
        raise GitUnavailable(f"{folder}: no snapshot of session {session_id[:80]!r} can be kept there.")
    return folder / f"{session_id}.json"


def _write(file: Path, snapshot: Snapshot) -> None:
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.is_file() or ignore.is_symlink():
        # A link that came with the repository is replaced, and not written through.
        with in_one_step(ignore) as stream:
            stream.write(b"*\n")
    with in_one_step(file, 0o600) as stream:
        stream.write(snapshot.model_dump_json().encode())
    # Nobody asks about a session long gone; the oldest make room. Another process may be doing the same.
    with contextlib.suppress(OSError):
        kept = sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
        for old in kept[_MOST_KEPT:]:
            old.unlink(missing_ok=True)
