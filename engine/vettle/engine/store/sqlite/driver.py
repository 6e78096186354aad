"""The driver: one connection of this process to one database file."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import apsw

from vettle.engine.errors import StoreDamaged, StoreUnavailable
from vettle.engine.store.database import Contradiction, Dialect, Row, Selection, Value
from vettle.engine.store.lock import FileLock
from vettle.engine.store.same_files import SameFiles
from vettle.engine.store.sqlite.files import APPLICATION_ID, copy
from vettle.engine.store.sqlite.guard import Guard

BUSY_TIMEOUT = 30_000  # milliseconds
MEMORY = ":memory:"

_PRAGMAS = (
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-16384",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA foreign_keys=ON",
)


_OTHER_TABLES = ("no such table", "no such column", "has no column", "already exists")
"""What SQLite says of our own statements when somebody changed the tables under them."""


class _SqliteConnection:
    """A transaction on the one connection of this process."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Run one statement and return its rows."""
        try:
            return self._connection.execute(sql, tuple(parameters)).fetchall()
        except apsw.ConstraintError as error:
            raise Contradiction(str(error)) from error


class SqliteDatabase:
    """A SQLite file in WAL mode behind a file lock, or a database in memory.

    One connection serves all threads, one at a time. `durability="full"` syncs every commit to the disk;
    "normal" survives `kill -9` but may lose the last commits when the power fails.
    """

    dialect = Dialect(
        identity="INTEGER PRIMARY KEY",
        blob="BLOB",
        text="TEXT",
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
        try:
            with self._between_processes(), self._failures():
                self._refuse_emptied_file()
                self._make()
                self._connection = self._connect(durability, timeout)
        except BaseException:
            # A server that is asked again and again would run out of descriptors.
            if self._file_lock is not None:
                self._file_lock.close()
            raise
        self._files = None if self.location == MEMORY else SameFiles(Path(self.location))
        self._rescued = ""

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

    def _make(self) -> None:
        """Make a new database under another name and give it its name when it is ours.

        SQLite makes a file of no bytes and fills it later: a process killed in between would leave one that is
        taken for a database that somebody emptied.
        """
        path = Path(self.location)
        if self.location == MEMORY or path.exists():
            return
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise StoreDamaged(
                f"{self.location}: the database is gone and its log {log.name} is still here. Nothing was changed. "
                f"Put the database back, restore a backup, or delete {log.name} to begin anew."
            )
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        connection = apsw.Connection(str(fresh))
        try:
            connection.execute(f"PRAGMA application_id={APPLICATION_ID:d}")
        finally:
            connection.close()
        fresh.rename(path)

    def _connect(self, durability: str, timeout: float) -> apsw.Connection:
        connection = apsw.Connection(self.location)
        try:
            connection.set_busy_timeout(int(timeout * 1000))
            self._configure(connection, durability)
        except BaseException:
            connection.close()
            raise
        return connection

    def _configure(self, connection: apsw.Connection, durability: str) -> None:
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
        """Turn apsw's errors into the two that the engine knows; a mistake of ours in SQL stays what it is."""
        if self.location == MEMORY:
            # No file to fail. What fails while a file is counted again in memory is the file, which says so itself.
            yield
            return
        try:
            yield
        except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError) as error:
            raise StoreDamaged(
                f"{self.location}: the database is damaged ({error}). It was left as it is. "
                "Restore a backup over it, or move it away to begin anew."
            ) from error
        except apsw.SQLError as error:
            if not any(said in str(error) for said in _OTHER_TABLES):
                raise
            raise StoreDamaged(
                f"{self.location}: its tables are not those of vettle ({error}). It was left as it is. "
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
    def write(self, key: int = 0) -> Iterator[_SqliteConnection]:
        """Open the one transaction that may write: a file has one writer at a time, whatever it writes."""
        with self._threads, self._between_processes(), self._failures():
            self._refuse_lost_files("Nothing was recorded")
            # IMMEDIATE, because a transaction that reads first and then writes fails at once under others.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield _SqliteConnection(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._refuse_lost_files("Whether this was recorded is not known")

    def _refuse_lost_files(self, consequence: str) -> None:
        """Refuse to go on when somebody deleted or replaced the files: nobody could read what is written (StoreDamaged).

        This process still sees everything that was acknowledged, so it puts that aside before it refuses.
        """
        gone = self._files.gone() if self._files is not None else ""
        if not gone:
            return
        if not self._rescued:
            # Not the process number: in a container it is that of the process before, whose file must stay.
            rescued = Path(f"{self.location}.rescued-{secrets.token_hex(4)}")
            try:
                copy(self._connection, rescued)
                self._rescued = f"All that it held is in {rescued}: vettle db restore {rescued} --replace. "
            except (apsw.Error, OSError) as error:
                rescued.unlink(missing_ok=True)
                self._rescued = f"What it held could not be put aside ({error}). "
        raise StoreDamaged(
            f"{self.location}: {gone} was deleted or replaced while this process had it open. {consequence}. {self._rescued}"
            "Restart this process (the agent's server)."
        )

    def verify(self) -> list[str]:
        """Look at every page and every index, and return what SQLite finds wrong with them (none is good)."""
        with self._failures(), self._second_connection() as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else found

    def copy_to(self, path: Path) -> None:
        """Copy the database as it stands at this moment to a file that is missing or empty; writers go on meanwhile."""
        with self._threads, self._failures():
            try:
                copy(self._connection, path)
            except apsw.FullError as error:
                raise StoreUnavailable(
                    f"{path.parent}: the disk is full, so nothing was copied. Free some space and retry."
                ) from error

    @contextmanager
    def read(self) -> Iterator[_SqliteConnection]:
        """Open a transaction that only reads."""
        with self._threads, self._failures():
            self._connection.execute("BEGIN")
            try:
                yield _SqliteConnection(self._connection)
            finally:
                # A disk that fails may have ended it already, and what it said must not be hidden.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def query(self, sql: str, *, project: int, limit: int, seconds: float) -> Selection:
        """Run one SELECT that a user wrote, over the rows of one project (QueryRefused).

        On a connection of its own, opened for reading only: a long query then holds up nobody, and what guards it
        never stands in the way of our own statements. Closing it leaves the locks of the first connection alone,
        because SQLite knows of both: it closes no descriptor of a file on which another of its connections has a
        lock. That holds within one SQLite library, which is why nothing else may open the file.
        """
        with self._failures(), self._second_connection() as connection:
            return Guard(connection, sql, project, seconds).select(limit)

    @contextmanager
    def _second_connection(self) -> Iterator[apsw.Connection]:
        """Open the database again for reading, a copy of it if it is in memory."""
        if self.location == MEMORY:
            connection = apsw.Connection(MEMORY)
        else:
            connection = apsw.Connection(self.location, flags=apsw.SQLITE_OPEN_READONLY)
        try:
            if self.location == MEMORY:
                with self._threads:
                    connection.deserialize("main", self._connection.serialize("main"))
            connection.set_busy_timeout(BUSY_TIMEOUT)
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
            connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Close the connection; the WAL is left for the next one."""
        with self._threads:
            self._connection.close()
            if self._file_lock is not None:
                self._file_lock.close()
