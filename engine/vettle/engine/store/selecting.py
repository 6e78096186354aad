"""A user's SELECT over a shared database: on a copy in memory of the rows that it may see.

Rows of other projects stand in the same tables, under the same role, and PostgreSQL has thousands of functions: no
look at a statement's text is sure to tell what it reaches. So it never gets there. The rows of this project are
copied into SQLite in memory, and the statement runs there, guarded as over a file (`sqlite`): the same SQL, the
same functions, the same refusals in both stores, and nothing of others to be seen.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import psycopg

from vettle.engine.store.database import QueryRefused, Row, Selection
from vettle.engine.store.readable import READABLE
from vettle.engine.store.schema import migrate
from vettle.engine.store.sqlite.driver import MEMORY, SqliteDatabase

MOST_COPIED_ROWS = 200_000
MOST_COPIED_BYTES = 100_000_000

_PAGE = 2_000
_VALUE = 8
"""Bytes that a value other than text counts as."""

_TOO_LONG = "reading the tables it names takes too long"

_TOO_MUCH = (
    "the tables it names hold more than {} of this project, which is more than is copied for one query; "
    "take the project into a file with vettle db copy --to FILE, and ask there"
)


def select(
    connection: psycopg.Connection[Row], sql: str, *, project: int, limit: int, seconds: float
) -> Selection:
    """Run one SELECT over the rows that the project has in the tables it names (QueryRefused).

    The connection is in a transaction. Copying is bounded by rows and bytes, and with the query by the given seconds.
    """
    deadline = time.monotonic() + seconds
    copy = SqliteDatabase(MEMORY)
    try:
        migrate(copy, lambda _: None)
        try:
            connection.execute(f"SET LOCAL statement_timeout={max(int(seconds * 1_000), 1):d}")
            _Copying(copy, project, deadline).run(connection, _named(sql))
        except psycopg.errors.QueryCanceled as error:
            raise QueryRefused(_TOO_LONG) from error
        return copy.query(sql, project=project, limit=limit, seconds=deadline - time.monotonic())
    finally:
        copy.close()


def _named(sql: str) -> list[str]:
    """Return the tables that the statement may read: a table cannot be read without spelling its name."""
    lower = sql.lower()
    return [table for table in READABLE if table in lower]


class _Copying:
    """The rows of one project on their way into memory."""

    def __init__(self, copy: SqliteDatabase, project: int, deadline: float) -> None:
        self._copy = copy
        self._project = project
        self._deadline = deadline
        self._rows = MOST_COPIED_ROWS
        self._bytes = MOST_COPIED_BYTES

    def run(self, connection: psycopg.Connection[Row], tables: Iterable[str]) -> None:
        """Copy the tables as they stand in this transaction."""
        with self._copy.write() as memory:
            for table in tables:
                with connection.cursor(name=f"vettle_{table}") as cursor:
                    # Constant names; a cursor on the server, so that no more is sent than is taken.
                    cursor.execute(f"SELECT * FROM {table} WHERE project=%s".encode(), (self._project,))  # noqa: S608
                    names = [column.name for column in cursor.description or ()]
                    insert = f"INSERT INTO {table}({','.join(names)}) VALUES ({','.join('?' * len(names))})"  # noqa: S608
                    while rows := cursor.fetchmany(_PAGE):
                        self._count(rows)
                        for row in rows:
                            memory.execute(insert, row)

    def _count(self, rows: list[Row]) -> None:
        if time.monotonic() > self._deadline:
            # The server bounds each fetch, and not all of them together.
            raise QueryRefused(_TOO_LONG)
        self._rows -= len(rows)
        self._bytes -= sum(
            len(value) if isinstance(value, str | bytes) else _VALUE for row in rows for value in row
        )
        if self._rows < 0:
            raise QueryRefused(_TOO_MUCH.format(f"{MOST_COPIED_ROWS:,} rows"))
        if self._bytes < 0:
            raise QueryRefused(_TOO_MUCH.format(f"{MOST_COPIED_BYTES // 1_000_000:,} MB"))
