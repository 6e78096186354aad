"""The one module that touches files: plans every change first, and writes all of them or none."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vettle.engine.errors import EditedByHand, FilesRefused, ProjectNotFound
from vettle.engine.project import prepare_state_folder
from vettle.engine.records import Rendering, Rule, Target
from vettle.engine.store.lock import FileLock
from vettle.renderers import lock as lockfile
from vettle.renderers.documents import Kind
from vettle.renderers.lock import Entry, Lock
from vettle.renderers.plan import EDITED, Change, Place, plan_block, plan_file, refused, unchanged
from vettle.renderers.sheet import Sheet, arrange
from vettle.renderers.targets import ASSISTANTS, NAMES, Assistant, choose, documents

_LOCK = "render.lock"
_WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Request:
    """What one call of `render` is about."""

    root: Path
    sheet: Sheet
    targets: Sequence[str]
    force: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """Every change of one call, where each file really is, and the lock file before and after."""

    changes: list[Change]
    places: dict[str, Path]
    lock: Lock
    lock_bytes: bytes | None
    entries: dict[str, Entry]
    notes: list[str]

    @property
    def is_refused(self) -> bool:
        return any(change.file.action == "refused" for change in self.changes)

    @property
    def in_sync(self) -> bool:
        return all(change.file.action == "unchanged" for change in self.changes)


def render(
    root: Path,
    rules: Sequence[Rule],
    *,
    targets: Sequence[str] = ("auto",),
    write: bool = False,
    remove: bool = False,
    force: bool = False,
) -> Rendering:
    """Bring the rule files of the project at `root` in line with `rules`, which come strongest first.

    Only proven and pinned rules are rendered; `remove`, like an empty set of rules, takes out everything
    that vettle wrote. Nothing is written without `write`, or when any file is refused: the refused ones
    are in the answer, and `raise_if_refused` turns them into an exception. `force` overwrites hand edits
    of what vettle wrote, and nothing else. A damaged lock file raises FilesRefused at once.
    """
    if not root.is_dir():
        raise ProjectNotFound(f"{root} is not a folder")
    request = _Request(root.resolve(), arrange(() if remove else rules), targets, force)
    plan = _plan(request)
    if write and not plan.is_refused:
        plan = _write(request, plan)
    written = write and not plan.is_refused
    return Rendering(
        files=[change.file for change in plan.changes],
        left_out=list(request.sheet.left_out),
        in_sync=written or plan.in_sync,
        written=written,
        notes=plan.notes,
    )


def raise_if_refused(rendering: Rendering) -> None:
    """Raise FilesRefused if any file was refused; EditedByHand if every refusal is a hand edit."""
    reasons = [file.reason for file in rendering.files if file.action == "refused"]
    if not reasons:
        return
    only_edits = all(reason.startswith(EDITED) for reason in reasons)
    raise (EditedByHand if only_edits else FilesRefused)("Nothing was written. " + " ".join(reasons))


# --- planning ----------------------------------------------------------------------------------


def _plan(request: _Request) -> _Plan:
    lock_path, lock_bytes = _find(request.root, lockfile.PATH, "file")
    lock = lockfile.parse(lock_bytes)
    chosen = choose(request.targets, _used(request.root) | {entry.target for entry in lock.files.values()})
    plan = _Plan([], {lockfile.PATH: lock_path}, lock, lock_bytes, dict(lock.files), [])
    for assistant in chosen:
        _plan_assistant(request, assistant, plan)
    if not chosen:
        plan.notes.append(
            f"No assistant is set up in this project. Name the targets to render: {', '.join(NAMES)}."
        )
    return plan


def _used(root: Path) -> set[Target]:
    return {one.target for one in ASSISTANTS if any((root / sign).exists() for sign in one.signs)}


def _uses_devin(root: Path) -> bool:
    return (root / ".devin").is_dir()


def _plan_assistant(request: _Request, assistant: Assistant, plan: _Plan) -> None:
    """Add the assistant's changes: what is wanted, and what was written before and is wanted no more."""
    texts = documents(assistant.target, request.sheet, devin=_uses_devin(request.root))
    wanted = {one.path: one for one in texts}
    written = {path for path, entry in plan.lock.files.items() if entry.target == assistant.target}
    for path in sorted({*wanted, *written, assistant.block_path} - {""}):
        place = Place(path, assistant.target, None, wanted.get(path), plan.lock.files.get(path))
        change = _plan_place(request, place, "block" if path == assistant.block_path else "file", plan)
        if change:
            plan.changes.append(change)
        if change and change.entry:
            plan.entries[path] = change.entry
        else:
            plan.entries.pop(path, None)


def _plan_place(request: _Request, place: Place, kind: Kind, plan: _Plan) -> Change | None:
    path = place.path
    try:
        real, current = _find(request.root, path, kind)
    except FilesRefused as error:
        return refused(place, str(error))
    for other, taken in plan.places.items():
        if taken == real:
            return unchanged(place, None, f"the same file as {other}")
    plan.places[path] = real
    opening = "@AGENTS.md\n" if path == "CLAUDE.md" and (request.root / "AGENTS.md").exists() else ""
    place = Place(path, place.target, current, place.wanted, place.entry, opening)
    return plan_block(place, request.force) if kind == "block" else plan_file(place, request.force)


def _find(root: Path, path: str, kind: Kind) -> tuple[Path, bytes | None]:
    """Return where the file really is and its bytes; refuse what is no plain file inside the project."""
    named = root / path
    try:
        real = named.resolve()
        if not real.is_relative_to(root) or ".git" in real.relative_to(root).parts:
            raise FilesRefused(
                f"{path}: leads to {real}, which is no rule file of this project. Remove the link."
            )
        if named.is_symlink() and (kind == "file" or not real.exists()):
            raise FilesRefused(
                f"{path}: a symbolic link where vettle writes a file of its own. Remove the link."
            )
        if not stat.S_ISREG(real.stat().st_mode):
            raise FilesRefused(f"{path}: not a regular file. Move it away, then render again.")
        return real, real.read_bytes()
    except FileNotFoundError:
        return real, None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise FilesRefused(f"{path}: cannot be read ({error}).") from None


# --- writing -----------------------------------------------------------------------------------


def _write(request: _Request, plan: _Plan) -> _Plan:
    """Carry out the plan, made anew under the lock because another process may have written meanwhile."""
    if plan.in_sync and plan.entries == plan.lock.files:
        return plan
    try:
        with FileLock(prepare_state_folder(request.root) / _LOCK, _WAIT_SECONDS):
            plan = _plan(request)
            if not plan.is_refused:
                _carry_out(request.root, plan)
    except OSError as error:
        raise FilesRefused(
            f"{error.filename or request.root}: cannot be written ({error.strerror})."
        ) from error
    return plan


def _carry_out(root: Path, plan: _Plan) -> None:
    """Write every change, and whatever happens record in the lock file what was written."""
    entries, made = dict(plan.lock.files), set(plan.lock.directories)
    try:
        for change in plan.changes:
            path = change.file.path
            if change.file.action in ("create", "update", "remove"):
                made |= _apply(root, plan.places[path], change)
            if path in plan.entries:
                entries[path] = plan.entries[path]
            else:
                entries.pop(path, None)
        entries = plan.entries
    finally:
        left = [folder for folder in sorted(made, reverse=True) if not _remove_if_empty(root, folder)]
        _save_lock(plan, Lock(files=entries, directories=sorted(left) if entries else []))


def _apply(root: Path, real: Path, change: Change) -> set[str]:
    """Make one change on disk and return the folders that had to be made for it."""
    if change.after is None:
        _check_unmoved(real, change.before)
        real.unlink()
        _sync_folder(real.parent)
        return set()
    missing = [folder for folder in real.parents if folder.is_relative_to(root) and not folder.exists()]
    real.parent.mkdir(parents=True, exist_ok=True)
    replace(real, change.after, expected=change.before)
    return {folder.relative_to(root).as_posix() for folder in missing}


def replace(real: Path, data: bytes, *, expected: bytes | None) -> None:
    """Replace a file in one step, keeping its mode; refuse unless it still holds `expected` (None: no file)."""
    temporary = real.with_name(f".vettle-{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if expected is not None:
            temporary.chmod(stat.S_IMODE(real.stat().st_mode))
        _check_unmoved(real, expected)
        temporary.replace(real)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(real.parent)


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


def _save_lock(plan: _Plan, lock: Lock) -> None:
    real, data = plan.places[lockfile.PATH], lockfile.dump(lock)
    if not lock.files:
        real.unlink(missing_ok=True)
    elif data != plan.lock_bytes:
        replace(real, data, expected=plan.lock_bytes)
