"""Carrying out what was planned: one file at a time, each remembered before it is written."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path

from vettle.engine.quarantine import redact
from vettle.engine.records.connecting import ClientConnection
from vettle.engine.root import STATE_FOLDER
from vettle.engine.store.lock import FileLock
from vettle.server.clients import files
from vettle.server.clients.files import Refused
from vettle.server.clients.memory import Memory, load, save
from vettle.server.clients.planning import Change

_LOCK = "init.lock"
"""In `.vettle/`: of two that connect at once, neither forgets what the other wrote."""


def carried_out(changes: Iterable[Change], root: Path) -> list[ClientConnection]:
    """Write the changes and report on each; one that fails is reported as refused and stops no other.

    Raises:
        FilesRefused: What was written cannot be remembered, so no more is written.
        StoreUnavailable: Another process has been at it for half a minute, or the lock cannot be taken.
    """
    folder = root / STATE_FOLDER
    if not folder.is_dir():
        # Only undoing comes here: nothing was put anywhere, so nothing has to be remembered.
        return _all_carried_out(changes, root)
    lock = FileLock(folder / _LOCK)
    try:
        with lock:
            return _all_carried_out(changes, root)
    finally:
        lock.close()


def _all_carried_out(changes: Iterable[Change], root: Path) -> list[ClientConnection]:
    memory = load(root)
    reports = []
    for change in changes:
        if change.writes:
            change, memory = _carry_out(change, memory, root)
        reports.append(reported(change))
    return reports


def _carry_out(change: Change, memory: Memory, root: Path) -> tuple[Change, Memory]:
    """Remember first: an entry that is remembered and not there is harmless, one that is forgotten is not."""
    kept = memory.files.get(str(change.file))
    remembered = memory.with_file(change.file, change.written)
    try:
        if change.written is not None:
            save(root, remembered)
        if change.after is None and change.before is not None:
            folders = [Path(folder) for folder in kept.folders] if kept else []
            files.delete(change.file, expected=change.before, folders=folders)
        elif change.after is not None and change.after != change.before:
            files.write(change.file, change.after, expected=change.before, private=change.private)
        if change.written is None:
            save(root, remembered)
    except Refused as error:
        save(root, memory)
        return Change(change.client, change.file, "refused", f"{error}. Left as it is."), memory
    return change, remembered


def reported(change: Change) -> ClientConnection:
    """Return what a change does as a record."""
    hints = ("create", "add", "update")
    return ClientConnection(
        client=change.client.name,
        title=change.client.title,
        file=str(change.file),
        action=change.action,
        detail=change.detail,
        diff=_diff(change),
        hint=change.client.hint if change.action in hints else "",
    )


def _diff(change: Change) -> str:
    """Return the changed lines alone: the lines around them may hold other servers' secrets."""
    old, new = ((content or b"").decode(errors="replace") for content in (change.before, change.after))
    if not change.writes or old == new:
        return ""
    name = str(change.file)
    lines = unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm="", n=0)
    return redact("\n".join(lines))
