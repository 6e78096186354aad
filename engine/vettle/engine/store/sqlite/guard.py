"""A SELECT of a user's: what it may see and how long, enforced by SQLite itself."""

from __future__ import annotations

import secrets
import time

import apsw

from vettle.engine.store.database import QueryRefused, Row, Selection
from vettle.engine.store.readable import FUNCTIONS, READABLE, READABLE_FUNCTIONS
from vettle.engine.store.sqlite import functions

_QUERY_STEPS = 500
"""Steps of SQLite's virtual machine between two looks at the clock."""

_QUERY_MEMORY = 100_000_000
"""Bytes that a user's query may take."""

_QUERY_CHARACTERS = 1_000_000
"""Characters of rows that are read of a user's query, whatever its limit."""

_SCHEMAS = {"sqlite_schema", "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master"}
"""What SQLite calls the tables that describe the others."""

_QUERY_LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: functions.LONGEST,
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


class Guard:
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
        functions.add_to(connection)
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
