"""The small interface behind which a database lives.

Everything above it is one portable SQL text with `?` placeholders. A second database implements
`Database` and fills the holes of `Dialect`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

Value = str | int | float | bytes | None
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Dialect:
    """The places where databases disagree on SQL.

    `has_table` is a query that returns a row when the table of the given name exists. `move_ids` moves the sequence
    that gives events their ids past the largest one, where there is a sequence; `hold_ids` keeps other writers from
    taking ids until the transaction ends, where there are any beside this one; `take_ids` is a query that takes as
    many as it is told.
    """

    identity: str
    blob: str
    text: str
    json: str
    without_rowid: str
    has_table: str
    move_ids: str = ""
    hold_ids: str = ""
    take_ids: str = ""


class Contradiction(Exception):
    """Raised when a statement breaks a key: what it would store contradicts what is there."""


class QueryRefused(Exception):
    """Raised when a user's statement does more than read, is wrong, or takes too much."""


@dataclass(frozen=True)
class Selection:
    """What a user's SELECT found: (name, type) of each column, the rows, and whether there are more."""

    columns: list[tuple[str, str]]
    rows: list[Row]
    more: bool


class Connection(Protocol):
    """One open transaction."""

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Run one statement and return its rows (empty for statements that return none).

        Raises Contradiction when it breaks a key.
        """
        ...


class Database(Protocol):
    """A place that holds the tables of `schema` and runs transactions on them.

    Both kinds of transaction see one consistent state. A write commits when its block ends and rolls back
    when the block raises. Failures of the database arrive as StoreUnavailable (nothing was recorded, a
    retry may work) or StoreDamaged (somebody has to look).
    """

    dialect: Dialect
    location: str

    def write(self, key: int = 0) -> AbstractContextManager[Connection]:
        """Open the one transaction that may write under `key` (a project's id; 0 for the tables); wait for others."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a transaction that only reads; never wait for writers."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


@runtime_checkable
class Queryable(Protocol):
    """A database that can run SQL which a user wrote; not every one has to."""

    def query(self, sql: str, *, project: int, limit: int, seconds: float) -> Selection:
        """Run one SELECT over the rows of one project (QueryRefused).

        The database itself enforces that nothing but `READABLE` tables is read and nothing is changed, that it
        ends within the given seconds, and that rows beyond `limit`, or beyond what memory should hold, are left.
        """
        ...


@runtime_checkable
class Verifiable(Protocol):
    """A database that is a file of ours, which can be looked at page by page and copied while others write."""

    def verify(self) -> list[str]:
        """Look at every page and every index, and return what is wrong with them (none is good)."""
        ...

    def copy_to(self, path: Path) -> None:
        """Copy the database as it stands at this moment to a file that is missing or empty."""
        ...
