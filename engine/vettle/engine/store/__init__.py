"""Where facts are kept: `open_store` gives a `Store`, and a `Store` gives transactions.

The modules beside this one hold the SQL, one table or idea each; nothing outside this package does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
            shard = self.database.dialect.shard
            refold(Transaction(connection, project=project, now=self.clock(), shard=shard, fold=fold))

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
        with self.database.write() as connection:
            shard = self.database.dialect.shard
            transaction = Transaction(
                connection, project=self._project, now=self.clock(), shard=shard, fold=fold
            )
            transaction.now = max(transaction.now, events.newest_time(transaction))
            yield transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that only reads, on one consistent state."""
        with self.database.read() as connection:
            yield Transaction(connection, project=self._project, now=self.clock(), shard=0, fold=fold)

    def query(self, sql: str, *, limit: int, seconds: float) -> Selection:
        """Run one SELECT that a user wrote, over the rows of this project (QueryRefused)."""
        if not isinstance(self.database, Queryable):
            raise QueryRefused("this database takes no SQL of users")
        return self.database.query(sql, project=self._project, limit=limit, seconds=seconds)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def open_store(
    location: Path | str, *, clock: Clock = system_clock, durability: str = "normal", timeout: float = 30.0
) -> Store:
    """Open the SQLite file at this path, creating it and its folder if missing; ":memory:" for tests.

    Raises:
        StoreDamaged: The file is not a database that this version can trust; it is left as it is.
        StoreUnavailable: The file cannot be opened now.
    """
    # Imported here so that a process that talks to another database never loads SQLite.
    from vettle.engine.store.sqlite import SqliteDatabase

    if str(location) != MEMORY:
        try:
            Path(location).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(
                f"{location}: its folder cannot be made ({error.strerror}). Nothing was recorded. "
                "Make the project writable, or name another with --project DIR."
            ) from error
    return Store(SqliteDatabase(location, durability=durability, timeout=timeout), clock=clock)


__all__ = ["MEMORY", "Store", "Transaction", "events", "open_store"]
