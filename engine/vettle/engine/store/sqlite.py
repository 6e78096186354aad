"""SQLite through apsw: the default database, one file per project.

The only module that opens the database file. apsw bundles its own SQLite (at least 3.51.3, which has no
WAL-reset bug), and a second SQLite library in the same process would drop our locks on the file.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import apsw

from vettle.engine.errors import StoreDamaged, StoreUnavailable
from vettle.engine.store.database import Dialect, Row, Value
from vettle.engine.store.lock import FileLock

APPLICATION_ID = 0x76746C65  # "vtle" in the file header: how a foreign database is told from ours
BUSY_TIMEOUT = 30_000  # milliseconds
MEMORY = ":memory:"

_PRAGMAS = (
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-16384",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA foreign_keys=ON",
)


def foreign_tables(path: Path) -> dict[str, list[dict[str, Value]]]:
    """Return every row of every table of another program's database, by table name, in row order.

    The file is copied first together with its write-ahead log, because even reading would leave files beside it.

    Raises:
        StoreDamaged: It is no SQLite database, or a damaged one.
        StoreUnavailable: It cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="vettle-") as folder:
        copy = Path(folder) / "copy.db"
        try:
            shutil.copyfile(path, copy)
            log = path.with_name(f"{path.name}-wal")
            if log.exists():
                shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
        except OSError as error:
            raise StoreUnavailable(f"{path}: cannot be read ({error.strerror}).") from error
        try:
            connection = apsw.Connection(str(copy))
            try:
                names = [
                    str(row[0])
                    for row in connection.execute(
                        "SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name"
                    )
                ]
                return {name: _rows(connection, name) for name in names if not name.startswith("sqlite_")}
            finally:
                connection.close()
        except apsw.Error as error:
            raise StoreDamaged(
                f"{path}: the database cannot be read ({error}). It was left as it is."
            ) from error


def _rows(connection: apsw.Connection, table: str) -> list[dict[str, Value]]:
    quoted = table.replace('"', '""')
    cursor = connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - an identifier, quoted
    names: list[str] = []
    found = []
    for row in cursor:
        names = names or [str(column[0]) for column in cursor.get_description()]
        found.append(dict(zip(names, row, strict=True)))
    return found


class _SqliteConnection:
    """A transaction on the one connection of this process."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Run one statement and return its rows."""
        return self._connection.execute(sql, tuple(parameters)).fetchall()


class SqliteDatabase:
    """A SQLite file in WAL mode behind a file lock, or a database in memory.

    One connection serves all threads, one at a time. `durability="full"` syncs every commit to the disk;
    "normal" survives `kill -9` but may lose the last commits when the power fails.
    """

    dialect = Dialect(
        identity="INTEGER PRIMARY KEY",
        blob="BLOB",
        json="TEXT",
        without_rowid=" WITHOUT ROWID",
        has_table="SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?",
    )

    def __init__(self, path: Path | str, *, durability: str = "normal", timeout: float = 30.0) -> None:
        """Open the file, creating it if it is missing.

        Raises:
            StoreDamaged: The file is empty, is no SQLite database, or belongs to another program.
            StoreUnavailable: The file cannot be opened or written now.
        """
        self.location = str(path)
        self._threads = threading.RLock()
        self._file_lock = None if self.location == MEMORY else FileLock(Path(f"{path}.lock"), timeout)
        with self._between_processes(), self._failures():
            self._refuse_emptied_file()
            self._connection = apsw.Connection(self.location)
            self._connection.set_busy_timeout(BUSY_TIMEOUT)
            self._configure(durability)

    def _refuse_emptied_file(self) -> None:
        """Refuse a file of no bytes: SQLite would take it for a new database, and it once held data."""
        if self.location == MEMORY:
            return
        try:
            size = Path(self.location).stat().st_size
        except FileNotFoundError:
            return
        if size == 0:
            raise StoreDamaged(
                f"{self.location}: the database is empty (0 bytes), so its contents are lost. "
                "Restore a backup over it, or delete it to begin anew."
            )

    def _configure(self, durability: str) -> None:
        connection = self._connection
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
        owner = connection.execute("PRAGMA application_id").get
        if tables and owner != APPLICATION_ID:
            raise StoreDamaged(
                f"{self.location}: this SQLite database was not made by vettle. "
                "Move it away, or name another project with --project DIR."
            )
        if self.location != MEMORY:
            mode = connection.execute("PRAGMA journal_mode=WAL").get
            if mode != "wal":
                raise StoreUnavailable(
                    f"{self.location}: SQLite cannot use WAL here (it answered {mode!r}), as on a network share. "
                    "Keep the project on a local disk."
                )
        if not tables:
            connection.execute(f"PRAGMA application_id={APPLICATION_ID:d}")
        connection.execute(f"PRAGMA synchronous={'FULL' if durability == 'full' else 'NORMAL'}")
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    def _between_processes(self) -> AbstractContextManager[None]:
        return self._file_lock or nullcontext()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn apsw's errors into the two that the engine knows."""
        try:
            yield
        except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError) as error:
            raise StoreDamaged(
                f"{self.location}: the database is damaged ({error}). It was left as it is. "
                "Restore a backup over it, or move it away to begin anew."
            ) from error
        except (apsw.BusyError, apsw.LockedError) as error:
            raise StoreUnavailable(
                f"{self.location}: another program holds the database ({error}). Nothing was recorded. Retry."
            ) from error
        except apsw.FullError as error:
            raise StoreUnavailable(
                f"{self.location}: the disk is full. Nothing was recorded. Free some space and retry."
            ) from error
        except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, apsw.AuthError) as error:
            raise StoreUnavailable(
                f"{self.location}: the database cannot be written ({error}). Nothing was recorded. "
                "Make the file and its folder writable."
            ) from error
        except apsw.IOError as error:
            raise StoreUnavailable(
                f"{self.location}: the disk refused ({error}). Nothing was recorded. Check the disk and retry."
            ) from error

    @contextmanager
    def write(self) -> Iterator[_SqliteConnection]:
        """Open the one transaction that may write."""
        with self._threads, self._between_processes(), self._failures():
            # IMMEDIATE, because a transaction that reads first and then writes fails at once under others.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield _SqliteConnection(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[_SqliteConnection]:
        """Open a transaction that only reads."""
        with self._threads, self._failures():
            self._connection.execute("BEGIN")
            try:
                yield _SqliteConnection(self._connection)
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection; the WAL is left for the next one."""
        with self._threads:
            self._connection.close()
            if self._file_lock is not None:
                self._file_lock.close()
