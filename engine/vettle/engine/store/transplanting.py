"""All rows of a project out of one database into another, without folding them there.

Folding a long log in one transaction is slow on PostgreSQL: each event takes several round trips, and the server keeps,
and walks, every version of a row that events change until the transaction ends. So rows are moved as they are.
"""

from __future__ import annotations

import bisect
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from vettle.engine.identifiers import canonical_json
from vettle.engine.store import baseline, caches, events
from vettle.engine.store.baseline import Part
from vettle.engine.store.database import Row, Value
from vettle.engine.store.events import COLUMNS, Event, Transaction

NAMING_EVENTS = {
    "rule": (2,),
    "experiment": (2, 12),
    "open_variable": (),
    "variable": (6,),
    "block": (),
    "assignment": (3,),
    "run": (3, 4),
}
"""Tables beside those of `baseline.TABLES`, and the columns in which they hold ids of events (0 is the project)."""

_BATCH = 500


class Ids:
    """Which id each event has here, by the id that it has there."""

    def __init__(self) -> None:
        self._there = array("q")
        self._here = array("q")

    def add(self, there: Sequence[int], here: Sequence[int]) -> None:
        """Note the ids of events, which come in order."""
        self._there.extend(there)
        self._here.extend(here)

    def of(self, there: int) -> int:
        """Return the id here of an event, or of the last one before it; 0 before all."""
        place = bisect.bisect_right(self._there, there)
        return self._here[place - 1] if place else 0

    def of_decision(self, decision: dict[str, Any]) -> dict[str, Any]:
        """Return a decision with the id of the last event that it had seen as it is here."""
        return decision | {"folded": self.of(decision["folded"])}


def transplant(source: Transaction, target: Transaction) -> bool:
    """Copy every row of the source's project into the target's, which has none; return whether ids were kept.

    Raises:
        Contradiction: The target cannot hold a value.
    """
    keep = events.is_first_log(target)
    ids = Ids()
    _events(source, target, ids, keep=keep)
    baseline.load(target, _placed(baseline.of_tables(source), ids))
    for table, columns in NAMING_EVENTS.items():
        rows = source.execute(f"SELECT * FROM {table} WHERE project=?", (source.project,))  # noqa: S608 - constant names
        _insert(target, table, [_row(row, columns, target.project, ids) for row in rows])
    for kept in caches.replies(source):
        caches.restore_reply(target, kept)
    pruned = baseline.through(source)
    if pruned:
        baseline.keep(target, ids.of(pruned), _placed(baseline.parts(source), ids))
    events.keep_newest_time(target, events.newest_time(source))
    return keep


def _events(source: Transaction, target: Transaction, ids: Ids, *, keep: bool) -> None:
    batch: list[Event] = []
    for event in events.every(source):
        batch.append(event)
        if len(batch) == _BATCH:
            _store(target, batch, ids, keep=keep)
            batch = []
    _store(target, batch, ids, keep=keep)
    if keep:
        target.move_ids()


def _store(target: Transaction, batch: list[Event], ids: Ids, *, keep: bool) -> None:
    there = [event.id for event in batch]
    here = there if keep else target.take_ids(len(batch))
    ids.add(there, here)
    rows: list[Sequence[Value]] = []
    for number, event in zip(here, batch, strict=True):
        data = event.data
        if "decision" in data:
            data = data | {"decision": ids.of_decision(data["decision"])}
        words = (event.kind, event.session, event.subject, event.choice)
        rows.append(
            (
                number,
                target.project,
                event.uid,
                event.ts,
                *words,
                canonical_json(event.metrics),
                canonical_json(data),
            )
        )
    _insert(target, f"event({COLUMNS.replace('id,', 'id, project,', 1)})", rows)


def _placed(parts: Iterator[Part], ids: Ids) -> Iterator[Part]:
    """Yield the parts with the ids that decisions of sessions name as they are here."""
    for part in parts:
        if part.table != "session":
            yield part
            continue
        column = part.columns.index("decision")
        rows = [list(row) for row in part.rows]
        for row in rows:
            row[column] = canonical_json(ids.of_decision(json.loads(row[column])))
        yield replace(part, rows=rows)


def _row(row: Row, columns: Sequence[int], project: int, ids: Ids) -> list[Value]:
    values = [project, *row[1:]]
    for column in columns:
        values[column] = ids.of(values[column])
    return values


def _insert(target: Transaction, into: str, rows: Sequence[Sequence[Value]]) -> None:
    for start in range(0, len(rows), _BATCH):
        some = rows[start : start + _BATCH]
        group = f"({','.join('?' * len(some[0]))})"
        target.execute(
            f"INSERT INTO {into} VALUES {','.join([group] * len(some))}",  # noqa: S608 - constant names, `?` only
            [value for row in some for value in row],
        )
