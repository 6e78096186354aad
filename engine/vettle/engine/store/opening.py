"""Opening a store: the SQLite file of a project, or a database on a server by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from vettle.engine.clock import Clock, system_clock
from vettle.engine.errors import StoreUnavailable
from vettle.engine.store import events
from vettle.engine.store.database import Connection, Database, Queryable, QueryRefused, Selection
from vettle.engine.store.events import Transaction
from vettle.engine.store.folds import fold, refold
from vettle.engine.store.schema import migrate

MEMORY = ":memory:"


class Store:
    """The facts of one project, in a database that may hold several."""

    def __init__(self, database: Database, *, clock: Clock = system_clock, project: str = "main") -> None:
        """Use the database, bringing its tables up to date (StoreDamaged when they are too new)."""
        self.database = database
        self.clock = clock
        migrate(database, self._refold)
        self._project = self._project_id(project)

    def _refold(self, connection: Connection) -> None:
        """Count the events of every project in the database again."""
        for [project] in connection.execute("SELECT id FROM project ORDER BY id"):
            refold(self._transaction(connection, project))

    def _transaction(self, connection: Connection, project: int) -> Transaction:
        dialect = self.database.dialect
        return Transaction(connection, project=project, now=self.clock(), dialect=dialect, fold=fold)

    def _project_id(self, name: str) -> int:
        select = "SELECT id FROM project WHERE name=?"
        with self.database.read() as connection:
            rows = connection.execute(select, (name,))
        if not rows:
            with self.database.write() as connection:
                connection.execute("INSERT INTO project(name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
                rows = connection.execute(select, (name,))
        return int(rows[0][0])

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the one transaction that may write; it commits when the block ends, or not at all."""
        with self.database.write(self._project) as connection:
            transaction = self._transaction(connection, self._project)
            transaction.now = max(transaction.now, events.newest_time(transaction))
            yield transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that only reads, on one consistent state."""
        with self.database.read() as connection:
            yield self._transaction(connection, self._project)

    def query(self, sql: str, *, limit: int, seconds: float) -> Selection:
        """Run one SELECT that a user wrote, over the rows of this project (QueryRefused)."""
        if not isinstance(self.database, Queryable):
            raise QueryRefused("this database takes no SQL of users")
        return self.database.query(sql, project=self._project, limit=limit, seconds=seconds)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def is_url(location: Path | str) -> bool:
    """Return whether a location is a database on a server, and not a file.

    A URL of another kind is one too, so that it is refused as such: as a path it would become folders that are
    named after a password.
    """
    return isinstance(location, str) and "://" in location


def without_secrets(url: str) -> str:
    """Return where a URL leads, without user, password and options, so that it can be shown and logged."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "localhost", f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the database's URL"
    if "@" in parts.path + parts.query + parts.fragment:
        # A password that is not percent-encoded ends where it should not, and its rest looks like something else.
        return "the database's URL"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _store(database: Database, clock: Clock, project: str) -> Store:
    try:
        return Store(database, clock=clock, project=project)
    except BaseException:
        database.close()
        raise


def open_store(
    location: Path | str,
    *,
    clock: Clock = system_clock,
    durability: str = "normal",
    timeout: float = 30.0,
    project: str = "main",
) -> Store:
    """Open the SQLite file at this path, creating it and its folder if missing; ":memory:" for tests.

    A URL (postgresql://) is a database on a server; there `project` names whose facts are
    meant, among those of others.

    Raises:
        StoreDamaged: The file is not a database that this version can trust; it is left as it is.
        StoreUnavailable: The file cannot be opened now.
    """
    if is_url(location):
        try:
            from vettle.engine.store.postgres import PostgresDatabase
        except ImportError as error:
            raise StoreUnavailable(
                "PostgreSQL needs another package. Install it: pip install 'vettle[postgres]'"
            ) from error
        database = PostgresDatabase(str(location), named=without_secrets(str(location)), timeout=timeout)
        return _store(database, clock, project)
    # Imported here so that a process that talks to another database never loads SQLite.
    from vettle.engine.store.sqlite.driver import SqliteDatabase

    if str(location) != MEMORY:
        try:
            Path(location).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(
                f"{location}: its folder cannot be made ({error.strerror}). Nothing was recorded. "
                "Make the project writable, or name another with --project DIR."
            ) from error
    return _store(SqliteDatabase(location, durability=durability, timeout=timeout), clock, project)
