"""Opening a store to look at it: nothing is made, migrated or written, not even by the first one who comes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from vettle.engine.clock import Clock, system_clock
from vettle.engine.errors import StoreUnavailable
from vettle.engine.store import Store, without_secrets
from vettle.engine.store.database import Database

_SECONDS = 4.0
"""How long a server is waited for by somebody who only wants to know whether it is there."""


class NotPrepared(StoreUnavailable):
    """Raised when tables, or the project's name, would have to be written first; the next recording call does that."""


def look_at_file(path: Path, *, clock: Clock = system_clock) -> Store:
    """Open the SQLite file at this path for reading.

    Raises:
        StoreDamaged: It is not a database that this version can trust.
        StoreUnavailable: It cannot be read now.
        NotPrepared: An older version of vettle made it, and none has brought it up to date.
    """
    from vettle.engine.store.sqlite.looking import SqliteToLookAt

    return _store(SqliteToLookAt(path), clock, "main")


def look_at_server(url: str, *, project: str, clock: Clock = system_clock) -> Store:
    """Open a database on a server for reading.

    Raises:
        StoreUnavailable: It cannot be reached, or psycopg is not installed.
        NotPrepared: Nothing was ever recorded there under this name.
    """
    if find_spec("psycopg") is None:
        raise StoreUnavailable("PostgreSQL needs another package. Install it: pip install 'vettle[postgres]'")
    from vettle.engine.store.postgres_looking import PostgresToLookAt

    return _store(PostgresToLookAt(url, named=without_secrets(url), timeout=_SECONDS), clock, project)


def _store(database: Database, clock: Clock, project: str) -> Store:
    try:
        return Store(database, clock=clock, project=project)
    except BaseException:
        database.close()
        raise


def quick_check(store: Store, seconds: float) -> list[str] | None:
    """Return what is wrong with the pages of a file that is looked at (none is good, as on a server).

    None if that takes longer than so many seconds.
    """
    from vettle.engine.store.sqlite.looking import SqliteToLookAt

    return store.database.quick_check(seconds) if isinstance(store.database, SqliteToLookAt) else []
