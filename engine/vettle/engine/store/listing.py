"""Lists of events, for whoever reads the log: filtered, in order of time, page by page."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from vettle.engine.store.database import Value
from vettle.engine.store.events import COLUMNS, Event, Kind, Transaction, of_row


@dataclass(frozen=True)
class Filter:
    """Which events are asked for: "" and () mean any. Times are microseconds, `until` is excluded.

    `beyond` is (time, id) of the last event of the page before.
    """

    kinds: Sequence[Kind] = ()
    session: str = ""
    subjects: Sequence[str] = ()
    choice: str = ""
    since: int = 0
    until: int = 2**62
    beyond: tuple[int, int] | None = None
    newest_first: bool = True


def listed(transaction: Transaction, wanted: Filter, limit: int) -> list[Event]:
    """Return at most `limit` events in order of time, and of id at the same time.

    Each query walks one index in that order and stops at the limit: that of the session or of the subjects, if
    they are given, else that of each kind, one after the other. Only a `choice` alone can make it walk for long.
    """
    key, values = _index(wanted)
    found = [_along(transaction, key, value, wanted, limit) for value in dict.fromkeys(values)]
    merged = heapq.merge(*found, key=lambda event: (event.ts, event.id), reverse=wanted.newest_first)
    return list(itertools.islice(merged, limit))


def _index(wanted: Filter) -> tuple[str, Sequence[str]]:
    """Return the column whose index narrows most, and the values to look up in it."""
    if wanted.session:
        return "session", (wanted.session,)
    if wanted.subjects:
        return "subject", wanted.subjects
    return "kind", wanted.kinds or get_args(Kind)


def _along(transaction: Transaction, key: str, value: str, wanted: Filter, limit: int) -> list[Event]:
    """Return the events with this key, read along its index."""
    where = [f"project=? AND {key}=? AND ts>=? AND ts<?"]
    parameters: list[Value] = [transaction.project, value, wanted.since, wanted.until]
    choices = (wanted.choice,) if wanted.choice else ()
    for column, only in (("kind", wanted.kinds), ("subject", wanted.subjects), ("choice", choices)):
        if only and column != key:
            # Behind an expression a column serves no index, so the planner cannot leave the one that is meant.
            where.append(f"{column}||'' IN ({','.join('?' * len(only))})")
            parameters += only
    sign, order = ("<", "DESC") if wanted.newest_first else (">", "ASC")
    if wanted.beyond:
        ts, number = wanted.beyond
        where.append(f"ts{sign}=? AND (ts{sign}? OR id{sign}?)")
        parameters += [ts, ts, number]
    rows = transaction.execute(
        f"SELECT {COLUMNS} FROM event WHERE {' AND '.join(where)} ORDER BY ts {order}, id {order} LIMIT ?",  # noqa: S608 - constants
        [*parameters, limit],
    )
    return list(map(of_row, rows))
