"""Backups: a copy of everything, made while others write, checked before it counts, and the way back.

A SQLite file is copied as a file. A shared database holds other projects too, so there the project's log is
written out, which restores everything to the last bit (`exchange/log.py`).
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vettle.engine import prepared_files
from vettle.engine.clock import moment
from vettle.engine.errors import Conflict, FilesRefused, StoreDamaged, StoreUnavailable
from vettle.engine.exchange import log
from vettle.engine.progress import report
from vettle.engine.project import Project, prepare_state_folder
from vettle.engine.records.upkeep import DatabaseRestored, DatabaseSaved
from vettle.engine.store import Store, caches, events, maintenance, open_store
from vettle.engine.store.database import Verifiable
from vettle.engine.store.lock import FileLock
from vettle.engine.upkeep.checking import UNFOLDABLE

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; whatever stayed behind would be taken for part of the next one."""


def backup(project: Project, path: Path) -> DatabaseSaved:
    """Copy everything to a new file that only its owner may read, and open and check it; writers go on meanwhile.

    Raises:
        FilesRefused: There is a file already, or it cannot be written.
        Conflict: Nothing was ever recorded.
        StoreDamaged: The database is damaged, so the copy would be; no file is left.
    """
    if not project.exists:
        raise Conflict(f"{project.location}: nothing was recorded yet, so there is nothing to back up.")
    report("copying")
    with _new_file(path) as temporary:
        if project.shared:
            log.save(project, temporary)
        else:
            store = project.open_again()
            try:
                assert isinstance(store.database, Verifiable)
                store.database.copy_to(temporary)
            finally:
                store.close()
        report("checking the copy")
        found, replies = _checked(project, temporary)
    return DatabaseSaved(
        path=str(path),
        format="log" if project.shared else "sqlite",
        size=path.stat().st_size,
        events=found,
        replies=replies,
    )


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file that takes the name when all is well, and never anybody else's place (FilesRefused)."""
    if not path.name:
        raise FilesRefused(f"{path}: that is a folder. Name a file in it, such as vettle-monday.db.")
    temporary = path.with_name(f".vettle-{secrets.token_hex(4)}.tmp")
    try:
        # Whoever makes the file first owns the name.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise FilesRefused(
            f"{path}: there is a file already. Name another: no backup is overwritten."
        ) from error
    except OSError as error:
        raise FilesRefused(f"{path}: cannot be written ({error.strerror}). Name another file.") from error
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        _remove(temporary)
        path.unlink(missing_ok=True)
        raise FilesRefused(f"{path}: cannot be written ({error.strerror}). No file was left.") from error
    except BaseException:
        _remove(temporary)
        path.unlink(missing_ok=True)
        raise


def _remove(path: Path) -> None:
    for suffix in (*_BESIDE, ".lock"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def _checked(project: Project, path: Path) -> tuple[int, int]:
    """Open a copy as a restore would, and return how many events and replies it holds (StoreDamaged)."""
    # A folder of ours alone, because the database that is made in it may be read by whoever reaches it.
    with tempfile.TemporaryDirectory(prefix=".vettle-", dir=path.parent) as folder:
        store = _opened(project, path, Path(folder) / "again.db")
        try:
            return _verified(store, project.location, "See what else is wrong: vettle db check.")
        finally:
            store.close()


def _opened(project: Project, path: Path, into: Path) -> Store:
    """Bring a backup of either format into a new database file, and open that."""
    # Imported here so that a process that talks to another database never loads SQLite.
    from vettle.engine.store.sqlite.files import copy_file

    if not log.recognises(path):
        copy_file(path, into)
        return open_store(into, clock=project.clock, durability=project.settings.durability)
    store = open_store(into, clock=project.clock, durability=project.settings.durability)
    try:
        log.import_log(Project(project.root, clock=project.clock, store=store), path)
    except BaseException:
        store.close()
        raise
    return store


def _verified(store: Store, name: str, remedy: str) -> tuple[int, int]:
    """Look at every page and recount every table; return how many events and replies there are (StoreDamaged)."""
    assert isinstance(store.database, Verifiable)
    try:
        problems = store.database.verify() or maintenance.check(store)
    except UNFOLDABLE as error:
        problems = [f"an event contradicts those before it ({type(error).__name__}: {str(error)[:200]})"]
    if problems:
        raise StoreDamaged(f"{name}: {problems[0]}. Nothing was changed. {remedy}")
    with store.read() as transaction:
        return events.count(transaction), caches.count_replies(transaction)


def restore(project: Project, path: Path, *, replace: bool = False) -> DatabaseRestored:
    """Make a backup, of either format, the project's database; it is checked before anything is changed.

    A database that is here is only replaced when that is asked for, and then kept beside it under a dated name.
    A shared database takes a log into a project without events, and nothing there is ever replaced.

    Raises:
        StoreDamaged, SourceDamaged: The backup is damaged.
        Conflict: There is a database and it is not to be replaced.
        StoreUnavailable: Another process has the database open.
    """
    return _restore_shared(project, path) if project.shared else _restore_file(project, path, replace)


def _restore_shared(project: Project, path: Path) -> DatabaseRestored:
    if not log.recognises(path):
        raise Conflict(
            f"{path}: no log of vettle, which a shared database is restored from. Restore it into a folder without a "
            "shared database, then: vettle db copy."
        )
    with project.read() as transaction:
        if events.count(transaction):
            raise Conflict(
                f"{project.location} holds events, and nothing is replaced in a shared database. Name another project "
                "with VETTLE_DATABASE_PROJECT."
            )
    log.import_log(project, path)
    with project.read() as transaction:
        found, replies = events.count(transaction), caches.count_replies(transaction)
    return _restored(project, path, "", found, replies)


def _restore_file(project: Project, path: Path, replace: bool) -> DatabaseRestored:
    live = project.database
    if live.exists() and not replace:
        raise Conflict(
            f"{live}: there is a database, and nothing was changed. To replace it and keep it beside, add: --replace"
        )
    prepare_state_folder(project.root)
    fresh = live.with_name(f"{live.name}.restoring-{secrets.token_hex(4)}")
    try:
        store = _opened(project, path, fresh)
        try:
            found, replies = _verified(store, str(path), "Name another backup.")
        finally:
            store.close()
        lock = FileLock(live.with_name(f"{live.name}.lock"))
        try:
            with lock:
                kept = _exchange(project, fresh, live)
        finally:
            lock.close()
    finally:
        _remove(fresh)
    return _restored(project, path, kept, found, replies)


def _exchange(project: Project, fresh: Path, live: Path) -> str:
    """Put the new database in the place of the old one; return where that is now. The writer lock is held."""
    from vettle.engine.store.sqlite.files import is_in_use

    if is_in_use(fresh) or fresh.with_name(f"{fresh.name}-wal").exists():
        raise StoreUnavailable(
            f"{fresh}: another process opened it, or the disk is full. Nothing was changed. Retry."
        )
    aside = live.with_name(f"{live.name}.replaced-{moment(project.clock()):%Y%m%dT%H%M%S%f}")
    there = [suffix for suffix in _BESIDE if live.with_name(f"{live.name}{suffix}").exists()]
    if "" in there and is_in_use(live):
        raise StoreUnavailable(
            f"{live}: another process has it open. Nothing was changed. End the agents that work on this project "
            "(their vettle servers) and retry."
        )
    try:
        for suffix in there:
            found = live.with_name(f"{live.name}{suffix}")
            if found.exists():
                _put_aside(found, aside.with_name(f"{aside.name}{suffix}"), stays=not suffix)
        fresh.replace(live)
    except OSError as error:
        raise StoreUnavailable(
            f"{live}: cannot be replaced ({error.strerror}). What was here is there still, or in {aside}."
        ) from error
    return str(aside) if there else ""


def _put_aside(found: Path, aside: Path, *, stays: bool) -> None:
    """Give a file another name; one that `stays` keeps its first one too, where the file system knows links.

    Were the database gone for a moment, a process killed in that moment would leave none, and the next begin anew.
    """
    if stays:
        with suppress(OSError):
            os.link(found, aside)
            return
    found.rename(aside)


def _restored(project: Project, path: Path, kept: str, found: int, replies: int) -> DatabaseRestored:
    # What was prepared before names events of the log that was here.
    prepared_files.discard(project.root)
    return DatabaseRestored(
        path=str(path),
        location=project.location,
        kept=kept,
        events=found,
        replies=replies,
        next_step="See that all is well: vettle db check; then bring the rule files up to date: vettle render --write.",
    )
