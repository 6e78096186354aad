"""What PostgreSQL says when something fails, as the two errors that the engine knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from vettle.engine.errors import StoreDamaged, StoreUnavailable, VettleError

_WAITED = (errors.LockNotAvailable,)
_COLLIDED = (errors.SerializationFailure, errors.DeadlockDetected, errors.QueryCanceled)
_FULL = (errors.DiskFull, errors.OutOfMemory)
_FORBIDDEN = (errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege, errors.InvalidSchemaName)
_DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted)
_FOREIGN = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.DuplicateTable,
    errors.DatatypeMismatch,
    errors.UndefinedFunction,
    errors.WrongObjectType,
)


def said(error: Exception) -> str:
    """Return the first line of what the server said."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


@contextmanager
def translated(location: str, consequence: str, waited: float) -> Iterator[None]:
    """Turn what psycopg raises into StoreUnavailable or StoreDamaged.

    `consequence` says what a lost connection means for the call, `waited` how long locks are waited for. What the
    server answers about a statement means that its transaction was taken back.
    """
    try:
        yield
    except psycopg.Error as error:
        found = _of(error, location, consequence, waited)
        if found is None:
            raise
        raise found from error


def _of(error: psycopg.Error, location: str, consequence: str, waited: float) -> VettleError | None:
    nothing = "Nothing was recorded."
    if isinstance(error, _WAITED):
        return StoreUnavailable(
            f"{location}: other writers held the project for {waited:g} s. {nothing} Retry."
        )
    if isinstance(error, _COLLIDED):
        return StoreUnavailable(f"{location}: the server gave this up ({said(error)}). {nothing} Retry.")
    if isinstance(error, _FULL):
        return StoreUnavailable(f"{location}: the server has no room ({said(error)}). {nothing}")
    if isinstance(error, _FORBIDDEN):
        return StoreUnavailable(
            f"{location}: the database cannot be written ({said(error)}). {nothing} "
            "Use a role that owns its tables, on a primary server."
        )
    if isinstance(error, _DAMAGED):
        return StoreDamaged(f"{location}: the database is damaged ({said(error)}). It was left as it is.")
    if isinstance(error, _FOREIGN):
        return StoreDamaged(
            f"{location}: its tables are not those of vettle ({said(error)}). It was left as it is. "
            "Use a database, or a schema, that no other program uses."
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return StoreUnavailable(f"{location}: the connection failed ({said(error)}). {consequence}")
    return None
