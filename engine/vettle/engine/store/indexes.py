"""Asking a PostgreSQL server whether its indexes agree with its tables, where it has the extension amcheck."""

from __future__ import annotations

from vettle.engine.errors import StoreDamaged
from vettle.engine.store.database import Database

_BTREES = (
    "SELECT CAST(c.oid AS BIGINT), c.relname FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace"
    " JOIN pg_am a ON a.oid=c.relam WHERE c.relkind='i' AND a.amname='btree' AND n.nspname=current_schema()"
    " ORDER BY c.relname"
)


def verify(database: Database) -> list[str]:
    """Return what is wrong with the indexes (none is good, and none without amcheck, which a superuser installs)."""
    with database.read() as connection:
        if not connection.execute("SELECT 1 FROM pg_extension WHERE extname='amcheck'"):
            return []
        indexes = connection.execute(_BTREES)
    found = []
    for number, name in indexes:
        try:
            with database.read() as connection:
                connection.execute("SELECT bt_index_check(CAST(CAST(? AS BIGINT) AS oid), true)", (number,))
        except StoreDamaged as error:
            found.append(f"index {name}: {error}")
    return found
