"""What a pruned log no longer tells: the tables of sessions and counts as they stood when it was pruned.

`prune` keeps them as of one event, `through`, and removes events of sessions that were over by then. To fold the
log again is then to fold what it still tells of rules, experiments and runs up to that event, to put the kept rows
in place, and to fold everything later as ever (see `folds.refold`). What the posterior folds is never removed, so
that it can be learned anew from the log, by a later version's policy too.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vettle.engine.identifiers import canonical_json
from vettle.engine.store import events
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event, Kind, Transaction

FOLDED_KINDS: tuple[Kind, ...] = (
    "session_started",
    "session_imported",
    "mistake_logged",
    "reward_logged",
    "session_ended",
    "session_scored",
    "session_closed",
)
"""The kinds that touch none but the kept tables."""

TABLES = ("stat", "session", "mistake", "term")
"""The tables that are kept. None of them holds an event's id, so they mean the same in another database."""

_PART = 1_000


@dataclass(frozen=True)
class Part:
    """Some rows of one table, each in the order of `columns`; without the project, which the database numbers."""

    table: str
    columns: list[str]
    rows: list[list[Any]]


_COLUMNS = {
    "stat": "family, a, b, c, metric, shard, n, mean, m2, lo, hi, ts",
    "session": "id, state, task, context, agent, model, started, seen, ended, mistakes, repeats, reward_weight,"
    " reward_sum, score, decision",
    "mistake": "id, class, hash, text, norm, terms, canonical, n, sessions, last_session, correction, first_ts, last_ts",
    "term": "key, mistake",
}
_TEXTS = frozenset(
    [
        "family",
        "a",
        "b",
        "metric",
        "state",
        "task",
        "context",
        "agent",
        "model",
        "decision",
        "class",
        "text",
        "norm",
        "terms",
        "last_session",
        "correction",
    ]
)
_FLOATS = frozenset(["n", "mean", "m2", "lo", "hi", "reward_weight", "reward_sum"])
_ORDER = {"stat": "family, a, c, metric, b, shard", "session": "id", "mistake": "id", "term": "key, mistake"}


def through(transaction: Transaction) -> int:
    """Return the last event that is folded into the kept tables, or 0 if the log was never pruned."""
    rows = transaction.execute("SELECT value FROM meta WHERE key=?", (_key(transaction),))
    return int(rows[0][0]) if rows else 0


def _key(transaction: Transaction) -> str:
    return f"pruned {transaction.project}"


def parts(transaction: Transaction) -> Iterator[Part]:
    """Yield what is kept, part by part: mistakes before the terms that name them."""
    for table in TABLES:
        number = 0
        while rows := transaction.execute(
            "SELECT rows FROM baseline WHERE project=? AND name=? AND part=?",
            (transaction.project, table, number),
        ):
            kept = json.loads(zlib.decompress(bytes(rows[0][0])))
            yield Part(table, kept["columns"], kept["rows"])
            number += 1


def of_tables(transaction: Transaction) -> Iterator[Part]:
    """Yield the tables as they stand now, in parts."""
    for table in TABLES:
        columns = _COLUMNS[table]
        rows = transaction.execute(
            f"SELECT {columns} FROM {table} WHERE project=? ORDER BY {_ORDER[table]}",  # noqa: S608 - constants
            (transaction.project,),
        )
        for start in range(0, len(rows), _PART):
            some = [list(row) for row in rows[start : start + _PART]]
            yield Part(table, columns.replace(" ", "").split(","), some)


def keep(transaction: Transaction, last: int, kept: Iterator[Part]) -> None:
    """Keep the parts as of the event `last`, instead of what was kept before."""
    transaction.execute("DELETE FROM baseline WHERE project=?", (transaction.project,))
    numbers = dict.fromkeys(TABLES, 0)
    for part in kept:
        packed = zlib.compress(canonical_json({"columns": part.columns, "rows": part.rows}).encode())
        transaction.execute(
            "INSERT INTO baseline(project, name, part, rows) VALUES (?,?,?,?)",
            (transaction.project, part.table, numbers[part.table], packed),
        )
        numbers[part.table] += 1
    transaction.execute(
        "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
        (_key(transaction), str(last)),
    )


def load(transaction: Transaction, kept: Iterator[Part]) -> None:
    """Replace the tables by the parts. Mistakes get numbers of their own here, and what names them follows."""
    for table in reversed(TABLES):
        transaction.execute(f"DELETE FROM {table} WHERE project=?", (transaction.project,))  # noqa: S608 - constants
    if transaction.gathered:
        transaction.gathered.clear()
    numbers: dict[int, int] = {}
    canonical: dict[int, int] = {}
    for part in kept:
        match part.table:
            case "mistake":
                for row in part.rows:
                    values = dict(zip(part.columns, row, strict=True))
                    there = values.pop("id")
                    canonical[there] = values["canonical"]
                    numbers[there] = _insert(transaction, part.table, values)
            case "term":
                for key, mistake in part.rows:
                    _insert(transaction, part.table, {"key": key, "mistake": numbers[mistake]})
            case _:
                for row in part.rows:
                    _insert(transaction, part.table, dict(zip(part.columns, row, strict=True)))
    for there, here in numbers.items():
        transaction.execute("UPDATE mistake SET canonical=? WHERE id=?", (numbers[canonical[there]], here))


def _insert(transaction: Transaction, table: str, values: dict[str, Any]) -> int:
    """Insert a row of one of the kept tables; return the number that a mistake got."""
    columns = [name for name in _COLUMNS[table].replace(" ", "").split(",") if name in values]
    if len(columns) != len(values):
        raise ValueError(f"baseline: {table} has other columns here")
    for name in columns:
        if not isinstance(values[name], (str,) if (table, name) == ("session", "id") else _types(name)):
            raise ValueError(f"baseline: {table}.{name} is of another type")  # noqa: TRY004 - the value of a file
    returning = " RETURNING id" if table == "mistake" else ""
    rows = transaction.execute(
        f"INSERT INTO {table}(project, {', '.join(columns)})"  # noqa: S608 - names are constants, checked above
        f" VALUES ({','.join('?' * (len(columns) + 1))}){returning}",
        (transaction.project, *(values[name] for name in columns)),
    )
    return int(rows[0][0]) if returning else 0


def _types(column: str) -> tuple[type, ...]:
    """Return what a column may hold; numbers of PostgreSQL and SQLite differ in whether a whole one is a float."""
    if column in _TEXTS:
        return (str,)
    return (int, float, type(None)) if column == "score" else (int, float) if column in _FLOATS else (int,)


def last_before(transaction: Transaction, ts: int) -> int:
    """Return the last event before any that was stored at the given time or later, or 0."""
    rows = transaction.execute(
        "SELECT min(id) FROM event WHERE project=? AND ts>=?", (transaction.project, ts)
    )
    after = int(rows[0][0]) if rows[0][0] is not None else 2**62
    rows = transaction.execute(
        "SELECT max(id) FROM event WHERE project=? AND id<?", (transaction.project, after)
    )
    return int(rows[0][0] or 0)


_SPENT = (
    " FROM event WHERE project=? AND id<=? AND id<(SELECT max(id) FROM event)"
    " AND (kind IN ('session_started', 'session_ended', 'reward_logged') OR (kind='mistake_logged' AND choice=''))"
    " AND session IN (SELECT id FROM session WHERE project=? AND state IN ('scored', 'abandoned', 'unrewarded'))"
    " AND session NOT IN (SELECT session FROM event WHERE project=? AND kind='session_imported')"
)
"""The events that nothing but the kept tables needs.

They are of sessions that are over, so nothing will look at them again, and that began here: what was imported is
known again by the uid of its events. What the posterior folds stays. So does the newest event, because SQLite would
give its id to the next one.
"""


def count_spent(transaction: Transaction, last: int) -> int:
    """Return how many events up to `last` would be removed."""
    return int(transaction.execute(f"SELECT count(*){_SPENT}", _spent(transaction, last))[0][0])


def remove_spent(transaction: Transaction, last: int) -> None:
    """Remove the events up to `last` that nothing but the kept tables needs."""
    events.keep_newest_time(transaction, 0)
    transaction.execute(f"DELETE{_SPENT}", _spent(transaction, last))


def _spent(transaction: Transaction, last: int) -> tuple[int, ...]:
    return (transaction.project, last, transaction.project, transaction.project)


def began_before_pruning(transaction: Transaction, session: str) -> bool:
    """Return whether the events of this session, which is in its table, are removed from the log."""
    rows: list[Row] = transaction.execute(
        "SELECT 1 FROM event WHERE project=? AND session=? AND kind IN ('session_started', 'session_imported') LIMIT 1",
        (transaction.project, session),
    )
    return not rows


def is_folded(event: Event, last: int) -> bool:
    """Return whether the kept tables, as of the event `last`, hold all that this event does to the tables."""
    return event.id <= last and event.kind in FOLDED_KINDS
