"""A database file that is only looked at: nothing is written, made, migrated or locked."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import apsw

from vettle.engine.errors import StoreDamaged, StoreUnavailable
from vettle.engine.store.looking import NotPrepared
from vettle.engine.store.sqlite.driver import SqliteDatabase, _SqliteConnection
from vettle.engine.store.sqlite.files import APPLICATION_ID

_MOST_COPIED = 200 * 2**20
"""Bytes of a database that are copied to be looked at; a larger one is left alone."""

_STEPS = 10_000
"""Steps of SQLite's virtual machine between two looks at the time."""


class SqliteToLookAt(SqliteDatabase):
    """The database in a file, opened so that the file and what lies beside it stay as they are.

    A log that no process has open can only be read by making a file beside it, so both are copied away first.
    """

    def __init__(self, path: Path) -> None:
        """Open the file for reading.

        Raises:
            StoreDamaged: It is no database of vettle's, or its log is here without it.
            StoreUnavailable: It cannot be read now.
        """
        self.location = str(path)
        self._threads = threading.RLock()
        self._file_lock = None
        self._files = None
        self._rescued = ""
        self._leave = ExitStack()
        try:
            with self._failures():
                self._refuse_emptied_file()
                self._refuse_lonely_log(path)
                self._connection = self._leave.enter_context(_opened(path, self._leave))
                self._refuse_foreign_tables()
        except BaseException:
            self._leave.close()
            raise

    def _refuse_lonely_log(self, path: Path) -> None:
        log = path.with_name(f"{path.name}-wal")
        if not path.exists() and _size(log):
            raise StoreDamaged(f"{path}: the database is gone and its log {log.name} is still here.")

    def _refuse_foreign_tables(self) -> None:
        if self._connection.execute("PRAGMA application_id").get != APPLICATION_ID:
            raise StoreDamaged(f"{self.location}: this SQLite database was not made by vettle.")

    @contextmanager
    def write(self, key: int = 0) -> Iterator[_SqliteConnection]:
        """Refuse (NotPrepared): the only thing ever written here is tables of a newer version."""
        raise NotPrepared(f"{self.location}: its tables are those of an older version of vettle.")
        yield

    def quick_check(self, seconds: float) -> list[str] | None:
        """Return what is wrong with the pages, leaving indexes out; None if that takes longer than so many seconds."""
        end = time.monotonic() + seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            with self._failures():
                found = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(5)")]
        except apsw.InterruptError:
            return None
        finally:
            self._connection.set_progress_handler(None)
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """Let go of the file."""
        self._leave.close()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextmanager
def _opened(path: Path, leave: ExitStack) -> Iterator[apsw.Connection]:
    log, index = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))
    how = "" if _size(log) else "?immutable=1"
    if _size(log) and not index.exists():
        path = _copied(path, log, leave)
    connection = apsw.Connection(
        f"{path.absolute().as_uri()}{how}", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    )
    try:
        connection.set_busy_timeout(1_000)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        yield connection
    finally:
        connection.close()


def _copied(path: Path, log: Path, leave: ExitStack) -> Path:
    if _size(path) + _size(log) > _MOST_COPIED:
        raise StoreUnavailable(
            f"{path}: it is too large to be copied, and no process has it open, so it was not looked at. "
            "Look at every page: vettle db check"
        )
    folder = Path(leave.enter_context(tempfile.TemporaryDirectory(prefix="vettle-")))
    for one in (path, log):
        shutil.copyfile(one, folder / one.name)
    return folder / path.name
