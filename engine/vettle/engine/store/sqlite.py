"""SQLite through apsw: the default database, one file per project.

The only module that opens the database file. apsw bundles its own SQLite (at least 3.51.3, which has no
WAL-reset bug), and a second SQLite library in the same process would drop our locks on the file.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import apsw

from vettle.engine.errors import StoreDamaged, StoreUnavailable
from vettle.engine.store.database import Contradiction, Dialect, QueryRefused, Row, Selection, Value
from vettle.engine.store.lock import FileLock
from vettle.engine.store.readable import FUNCTIONS, READABLE, READABLE_FUNCTIONS

APPLICATION_ID = 0x76746C65  # "vtle" in the file header: how a foreign database is told from ours
BUSY_TIMEOUT = 30_000  # milliseconds
MEMORY = ":memory:"

_PRAGMAS = (
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-16384",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA foreign_keys=ON",
)

_QUERY_STEPS = 500
"""Steps of SQLite's virtual machine between two looks at the clock."""

_QUERY_MEMORY = 100_000_000
"""Bytes that a user's query may take."""

_QUERY_CHARACTERS = 1_000_000
"""Characters of rows that are read of a user's query, whatever its limit."""

_SCHEMAS = {"sqlite_schema", "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master"}
"""What SQLite calls the tables that describe the others."""

_QUERY_LIMITS = {
    # A function can take the square of a text's length, and nothing interrupts a function.
    apsw.SQLITE_LIMIT_LENGTH: 250_000,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    apsw.SQLITE_LIMIT_SQL_LENGTH: 20_000,
    apsw.SQLITE_LIMIT_COLUMN: 200,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 100,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    apsw.SQLITE_LIMIT_VDBE_OP: 100_000,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 100,
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
}


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
                # A damaged page can hide rows without an error, so the pages are checked first.
                problem = str(next(connection.execute("PRAGMA quick_check(1)"))[0])
                if problem != "ok":
                    raise StoreDamaged(f"{path}: the database is damaged ({problem}). It was left as it is.")
                names = [
                    str(row[0])
                    for row in connection.execute(
                        # A virtual table has no page, and needs a module that may not be here.
                        "SELECT name FROM sqlite_schema WHERE type='table' AND rootpage>0 ORDER BY name"
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
        try:
            return self._connection.execute(sql, tuple(parameters)).fetchall()
        except apsw.ConstraintError as error:
            raise Contradiction(str(error)) from error


class _Guard:
    """What lets a user's SELECT read the rows of one project, and stops everything else.

    SQLite asks it about every access while it compiles a statement (the authorizer), before it runs one (the
    trace), and every few hundred steps while it does (the progress handler). Each table is seen through two
    views: the outer one has the table's name, the inner one a random name, and only through that may the table
    itself be read. One view would not do, because SQLite gives the name of the innermost view *or common table
    expression* that reads, and a user may give an expression the name of a view.
    """

    def __init__(self, connection: apsw.Connection, sql: str, project: int, seconds: float) -> None:
        self._connection = connection
        self._sql = sql
        self._inner = {f"{secrets.token_hex(16)}_{table}": table for table in READABLE}
        taken = "SELECT name FROM main.sqlite_schema UNION SELECT name FROM pragma_module_list"
        self._taken = {str(row[0]).lower() for row in connection.execute(taken)} | _SCHEMAS
        self._is_select = False
        self._columns: list[tuple[str, str]] = []
        self._refusal = ""
        for inner, table in self._inner.items():
            # Names are constants with random hexadecimal digits, and the project is a number.
            connection.execute(
                f'CREATE TEMP VIEW "{inner}" AS SELECT * FROM main.{table} WHERE project={project:d}'  # noqa: S608
            )
            connection.execute(f'CREATE TEMP VIEW {table} AS SELECT * FROM temp."{inner}"')  # noqa: S608
        for limit, value in _QUERY_LIMITS.items():
            connection.limit(limit, value)
        self._deadline = time.monotonic() + seconds
        self._memory = apsw.memory_used() + _QUERY_MEMORY
        connection.authorizer = self._authorize
        connection.exec_trace = self._begin
        connection.set_progress_handler(self._is_over, _QUERY_STEPS)

    def select(self, limit: int) -> Selection:
        """Run the statement and return its first rows (QueryRefused)."""
        rows: list[Row] = []
        room, more = _QUERY_CHARACTERS, False
        try:
            for row in self._connection.execute(self._sql):
                room -= sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in row)
                if len(rows) == limit or (rows and room < 0):
                    more = True
                    break
                rows.append(row)
        except (apsw.CorruptError, apsw.NotADBError, apsw.BusyError, apsw.IOError):
            raise
        except (apsw.Error, ValueError) as error:
            raise QueryRefused(self._refusal or str(error)) from error
        return Selection(self._columns, rows, more)

    def _authorize(
        self, action: int, first: str | None, second: str | None, database: str | None, view: str | None
    ) -> int:
        if action == apsw.SQLITE_SELECT:
            self._is_select = True
            return apsw.SQLITE_OK
        if action == apsw.SQLITE_READ:
            allowed = (
                view in self._inner or first in READABLE_FUNCTIONS or self._is_seen(database, first, second)
            )
        else:
            allowed = action == apsw.SQLITE_RECURSIVE or (
                action == apsw.SQLITE_FUNCTION and second in FUNCTIONS
            )
        if allowed:
            return apsw.SQLITE_OK
        named = (second if action == apsw.SQLITE_FUNCTION else first) or ""
        does = str(apsw.mapping_authorizer_function[action]).removeprefix("SQLITE_").lower().replace("_", " ")
        self._refusal = self._refusal or f"{does} {named}".rstrip() + " is not allowed"
        return apsw.SQLITE_DENY

    def _is_seen(self, database: str | None, name: str | None, column: str | None) -> bool:
        """Tell whether a name is one of our views, or one that the user gave to a part of the statement.

        Where only rows are counted, SQLite says no database and no column, so the name decides.
        """
        if database == "temp":
            return name in self._inner or name in READABLE
        return database is None and not column and str(name).lower() not in self._taken

    def _begin(self, cursor: apsw.Cursor, sql: str, bindings: object) -> bool:
        """Let the statement run if it is a SELECT and the only one: SQLite would run one after the other."""
        if self._sql[len(sql) :].strip():
            self._refusal = "there is more than one statement, or a comment behind the ;"
        elif not (self._is_select and cursor.is_readonly) or cursor.is_explain:
            self._refusal = "it is no SELECT"
        else:
            self._columns = [(str(column[0]), str(column[1] or "")) for column in cursor.get_description()]
        return not self._refusal

    def _is_over(self) -> bool:
        if time.monotonic() > self._deadline:
            self._refusal = "it takes too long"
        elif apsw.memory_used() > self._memory:
            self._refusal = "it takes too much memory"
        return bool(self._refusal)


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

    def query(self, sql: str, *, project: int, limit: int, seconds: float) -> Selection:
        """Run one SELECT that a user wrote, over the rows of one project (QueryRefused).

        On a connection of its own, opened for reading only: a long query then holds up nobody, and what guards it
        never stands in the way of our own statements. Closing it leaves the locks of the first connection alone,
        because SQLite knows of both: it closes no descriptor of a file on which another of its connections has a
        lock. That holds within one SQLite library, which is why nothing else may open the file.
        """
        with self._failures(), self._second_connection() as connection:
            return _Guard(connection, sql, project, seconds).select(limit)

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
