"""The one module that changes files: each in one step, under a lock, recorded before and after."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from vettle.engine.errors import FilesRefused
from vettle.engine.project import prepare_state_folder
from vettle.engine.store.lock import FileLock
from vettle.renderers import lock as lockfile
from vettle.renderers.changes import Change, digest
from vettle.renderers.lock import Entry, Lock
from vettle.renderers.plan import Plan, make
from vettle.renderers.survey import Request

_LOCK = "render.lock"
_WAIT_SECONDS = 10.0
WRITES = ("create", "update", "remove")
"""What is done to the files that do not stay as they are."""


def write(request: Request, plan: Plan) -> Plan:
    """Carry out the plan, made anew under the lock because another process may have written meanwhile."""
    if plan.changes_nothing and plan.lock_after == plan.lock:
        return plan
    try:
        with FileLock(prepare_state_folder(request.root) / _LOCK, _WAIT_SECONDS):
            plan = make(request)
            if not plan.is_refused:
                _carry_out(request.root, plan)
    except OSError as error:
        raise FilesRefused(
            f"{error.filename or request.root}: cannot be written ({error.strerror})."
        ) from error
    return plan


def _carry_out(root: Path, plan: Plan) -> None:
    """Write every change between two writes of the lock file.

    The first says what each file is about to become beside what it is, so that a process that dies in
    between leaves nothing that the next one would take for somebody else's.
    """
    writing = [change for change in plan.changes if change.file.action in WRITES]
    for path in plan.places.values():
        _temporary(path).unlink(missing_ok=True)
    directories = {*plan.lock.directories, *_missing_folders(root, plan, writing)}
    lock_bytes = plan.lock_bytes
    if writing:
        intended = Lock(files=_intended(plan), directories=sorted(directories), named=plan.named)
        lock_bytes = _save_lock(plan, intended, lock_bytes)
    entries = dict(plan.lock.files)
    try:
        for change in writing:
            _apply(plan.places[change.file.path], change)
            _record(entries, plan, change.file.path)
        entries = plan.entries
    finally:
        left = [folder for folder in sorted(directories, reverse=True) if not _remove_if_empty(root, folder)]
        named = plan.named if entries else []
        _save_lock(
            plan, Lock(files=entries, directories=sorted(left) if entries else [], named=named), lock_bytes
        )


def _intended(plan: Plan) -> dict[str, Entry]:
    """Return the lock entries that hold both before and after the change of each file."""
    entries = {**plan.lock.files, **plan.entries}
    for change in plan.changes:
        entry = entries.get(change.file.path)
        if entry and entry.kind == "file" and change.before is not None and change.after is not None:
            entries[change.file.path] = entry.model_copy(update={"previous": digest(change.before)})
    return entries


def _record(entries: dict[str, Entry], plan: Plan, path: str) -> None:
    if path in plan.entries:
        entries[path] = plan.entries[path]
    else:
        entries.pop(path, None)


def _missing_folders(root: Path, plan: Plan, writing: list[Change]) -> set[str]:
    """Return the folders that have to be made, so that they can be removed again with the files."""
    parents = {
        folder
        for change in writing
        if change.after is not None
        for folder in plan.places[change.file.path].parents
        if folder.is_relative_to(root) and not folder.exists()
    }
    return {folder.relative_to(root).as_posix() for folder in parents}


def _apply(real: Path, change: Change) -> None:
    """Make one change on disk."""
    if change.after is None:
        _check_unmoved(real, change.before)
        real.unlink()
        _sync_folder(real.parent)
        return
    real.parent.mkdir(parents=True, exist_ok=True)
    replace(real, change.after, expected=change.before)


def replace(real: Path, data: bytes, *, expected: bytes | None) -> None:
    """Replace a file in one step, keeping its mode; refuse unless it still holds `expected` (None: no file)."""
    temporary = _temporary(real)
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if expected is not None:
            _take_over_permissions(real, temporary)
        _check_unmoved(real, expected)
        temporary.replace(real)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(real.parent)


def _temporary(real: Path) -> Path:
    """Return the temporary file beside a file: always the same one, so that the next run finds what a crash left."""
    return real.with_name(f".vettle-{hashlib.sha256(real.name.encode()).hexdigest()[:12]}.tmp")


def _take_over_permissions(real: Path, temporary: Path) -> None:
    status = real.stat()
    if hasattr(os, "chown"):
        # Only root may give files away; for anybody else the new file is their own, as it should be.
        with suppress(PermissionError):
            os.chown(temporary, status.st_uid, status.st_gid)
    temporary.chmod(stat.S_IMODE(status.st_mode))


def _check_unmoved(real: Path, expected: bytes | None) -> None:
    current = real.read_bytes() if real.exists() else None
    if current != expected:
        raise FilesRefused(f"{real}: changed while it was being rendered. Render again.")


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows cannot open folders and needs no such step."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_if_empty(root: Path, folder: str) -> bool:
    """Remove a folder that vettle made; False while something is in it."""
    path = root / folder
    if not path.exists():
        return True
    if not path.resolve().is_relative_to(root) or any(path.iterdir()):
        return False
    path.rmdir()
    return True


def _save_lock(plan: Plan, lock: Lock, before: bytes | None) -> bytes | None:
    """Write the lock file, or remove it when vettle has no file left; return its new bytes."""
    real, data = plan.places[lockfile.PATH], lockfile.dump(lock)
    if not lock.files:
        real.unlink(missing_ok=True)
        return None
    if data != before:
        replace(real, data, expected=before)
    return data
