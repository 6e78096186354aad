"""Is every table what its events say? `check` recounts, `rebuild` makes it so."""

from __future__ import annotations

from vettle.engine.store import Store, events, open_store
from vettle.engine.store.database import Row
from vettle.engine.store.events import Transaction
from vettle.engine.store.folds import refold
from vettle.engine.store.schema import FOLDED_TABLES


def tables(transaction: Transaction) -> dict[str, list[Row]]:
    """Return the rows of every folded table, sorted."""
    return {
        table: sorted(
            transaction.execute(f"SELECT * FROM {table} WHERE project=?", (transaction.project,)),  # noqa: S608 - constant names
            key=repr,
        )
        for table in FOLDED_TABLES
    }


def check(store: Store) -> list[str]:
    """Recount every aggregate from the events and return one line per table that differs (none is good).

    Reads the whole history, so it is only ever run when somebody asks.
    """
    with store.read() as transaction, open_store(":memory:").write() as recount:
        recount.project = transaction.project
        for event in events.every(transaction):
            recount.replay(event)
        stored, counted = tables(transaction), tables(recount)
    return [
        f"{table}: {len(set(stored[table]) ^ set(counted[table]))} rows differ from the events"
        for table in FOLDED_TABLES
        if stored[table] != counted[table]
    ]


def rebuild(store: Store) -> int:
    """Throw the aggregates away and fold all events again; return how many events there are."""
    with store.write() as transaction:
        return refold(transaction)
