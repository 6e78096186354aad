"""Is every table what its events say? `check` recounts, `rebuild` makes it so."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import astuple

from vettle.engine.store import MEMORY, Store, open_store
from vettle.engine.store.database import Row
from vettle.engine.store.events import Transaction
from vettle.engine.store.folds import refold, replay_log
from vettle.engine.store.moments import Moments
from vettle.engine.store.schema import FOLDED_TABLES


def tables(transaction: Transaction) -> dict[str, list[Row]]:
    """Return the rows of every folded table, sorted, with the shards of an aggregate merged.

    Numbers that a database gave a mistake are left out: another one gives others for the same events.
    """
    return {
        table: sorted(_merged(transaction) if table == "stat" else _rows(transaction, table), key=repr)
        for table in FOLDED_TABLES
    }


_SELECT = {
    "mistake": "SELECT m.class, m.hash, m.text, m.norm, m.terms, c.hash, m.n, m.sessions, m.last_session, m.correction,"
    " m.first_ts, m.last_ts FROM mistake m JOIN mistake c ON c.id=m.canonical WHERE m.project=?",
    "term": "SELECT t.key, m.class, m.hash FROM term t JOIN mistake m ON m.id=t.mistake WHERE t.project=?",
}


def _rows(transaction: Transaction, table: str) -> list[Row]:
    select = _SELECT.get(table, f"SELECT * FROM {table} WHERE project=?")  # noqa: S608 - constant names
    return transaction.execute(select, (transaction.project,))


def _merged(transaction: Transaction) -> list[Row]:
    rows = transaction.execute(
        "SELECT family, a, b, c, metric, n, mean, m2, lo, hi FROM stat WHERE project=? ORDER BY shard",
        (transaction.project,),
    )
    merged: dict[Row, Moments] = {}
    for *key, n, mean, m2, low, high in rows:
        merged[tuple(key)] = merged.get(tuple(key), Moments()) + Moments(n, mean, m2, low, high)
    return [(*key, *astuple(moments)) for key, moments in merged.items()]


def check(store: Store) -> list[str]:
    """Recount every aggregate from the events and return one line per table that differs (none is good).

    Reads the whole history, so it is only ever run when somebody asks.
    """
    with store.read() as transaction:
        return differences(transaction)


def differences(transaction: Transaction) -> list[str]:
    """Return what `check` does, as seen by a transaction that is under way."""
    with closing(open_store(MEMORY)) as memory, memory.write() as recount:
        recount.project = transaction.project
        replay_log(transaction, recount)
        stored, counted = tables(transaction), tables(recount)
    return [
        f"{table}: {max(len(set(stored[table]) ^ set(counted[table])), 1)} rows differ from the events"
        for table in FOLDED_TABLES
        if not _alike(stored[table], counted[table])
    ]


def _alike(stored: list[Row], counted: list[Row]) -> bool:
    """Return whether two tables say the same; sums that were added in another order differ in their last bits."""
    return len(stored) == len(counted) and all(
        len(one) == len(other) and all(map(_equal, one, other))
        for one, other in zip(stored, counted, strict=True)
    )


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


def rebuild(store: Store) -> int:
    """Throw the aggregates away and fold all events again; return how many events there are."""
    with store.write() as transaction:
        return refold(transaction)
