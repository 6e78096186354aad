"""Database files as a whole: copied while others use them, and told to be in use."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from vettle.engine.errors import StoreDamaged, StoreUnavailable

APPLICATION_ID = 0x76746C65  # "vtle" in the file header: how a foreign database is told from ours


def copy(source: apsw.Connection, path: Path) -> None:
    """Copy a database into one file, without a log beside it, that only its owner may read, and sync it."""
    path.touch(0o600)
    target = apsw.Connection(str(path))
    try:
        # All pages in one step: in several, each commit of another process would begin the copy anew.
        with target.backup("main", source, "main") as work:
            work.step(-1)
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def copy_file(source: Path, target: Path) -> None:
    """Copy a database that no process of ours has open to a file that is missing or empty.

    Raises:
        StoreDamaged: It is no SQLite database, a damaged one, or one of another program.
        StoreUnavailable: It cannot be read, or the copy cannot be written.
    """
    try:
        if not source.exists():
            raise StoreDamaged(f"{source}: there is no such file. Nothing was changed.")
        if not source.is_file() or not source.stat().st_size:
            raise StoreDamaged(f"{source}: no database, or an empty one. Nothing was changed.")
        connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            # A backup stays as it is, even one that was copied together with its log.
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            problem = connection.execute("PRAGMA quick_check(1)").get
            owner = connection.execute("PRAGMA application_id").get
            if problem != "ok" or owner != APPLICATION_ID:
                reason = f"damaged ({problem})" if problem != "ok" else "not made by vettle"
                raise StoreDamaged(f"{source}: this database is {reason}. Nothing was changed.")
            copy(connection, target)
        finally:
            connection.close()
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError) as error:
        raise StoreDamaged(f"{source}: no sound SQLite database ({error}). Nothing was changed.") from error
    except apsw.FullError as error:
        raise StoreUnavailable(
            f"{target.parent}: the disk is full, so nothing was copied. Free some space and retry."
        ) from error
    except (apsw.Error, OSError) as error:
        raise StoreUnavailable(f"{source}: cannot be copied ({error}). Nothing was changed.") from error


def is_in_use(path: Path) -> bool:
    """Tell whether any process has the database open; if none has, its log is merged into the file and removed.

    The caller holds the writer lock, so that nobody opens it meanwhile. A damaged file answers False: what
    others have open of it, they notice to be gone at their next write.
    """
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error:
        return False
    try:
        connection.set_busy_timeout(1_000)
        # Leaving WAL takes an exclusive lock, and every connection in WAL holds a shared one as long as it is open.
        return bool(connection.execute("PRAGMA journal_mode=DELETE").get != "delete")
    except (apsw.BusyError, apsw.LockedError):
        return True
    except apsw.Error:
        return False
    finally:
        connection.close()
