"""What a project's facts are, in a few numbers that do not depend on the database that holds them.

A database gives events and mistakes numbers of its own. So an event counts by its place in the project's log, and
what names an event (the last one that a decision had seen, the one since which runs count) by the place of that.
"""

from __future__ import annotations

import bisect
import hashlib
import json
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

from vettle.engine.identifiers import canonical_json
from vettle.engine.learning import Learning
from vettle.engine.store import Transaction, caches, events
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event
from vettle.engine.store.maintenance import tables
from vettle.engine.store.transplanting import NAMING_EVENTS

_WITHOUT_PROJECT = frozenset({"stat", "mistake", "term"})
"""Tables that `maintenance.tables` gives without the number of the project; elsewhere it is the first column."""


@dataclass(frozen=True)
class Fingerprint:
    """Counts and checksums of all that a project's log says and all that follows from it."""

    events: int
    replies: int
    events_sha256: str
    replies_sha256: str
    tables_sha256: str
    posterior_sha256: str

    def differences(self, other: Fingerprint) -> list[str]:
        """Name what is not the same."""
        return [name for name, value in vars(self).items() if value != getattr(other, name)]


def fingerprint(transaction: Transaction) -> Fingerprint:
    """Read everything and return its fingerprint; the posterior is folded anew from the log."""
    places = array("q")
    whole = hashlib.sha256()
    for event in events.every(transaction):
        places.append(event.id)
        _add(whole, _said(event, places))
    answers, replies = hashlib.sha256(), 0
    for kept in caches.replies(transaction):
        replies += 1
        _add(answers, [kept.uid.hex(), kept.arguments.hex(), kept.answer, kept.ts])
    counted = hashlib.sha256()
    for name, rows in tables(transaction).items():
        for row in sorted((_placed(name, row, places) for row in rows), key=repr):
            _add(counted, [name, *row])
    learned = Learning.as_of(transaction, places[-1] if places else 0)
    return Fingerprint(
        events=len(places),
        replies=replies,
        events_sha256=whole.hexdigest(),
        replies_sha256=answers.hexdigest(),
        tables_sha256=counted.hexdigest(),
        posterior_sha256=hashlib.sha256(learned.learner.to_bytes()).hexdigest(),
    )


def _add(digest: hashlib._Hash, values: Iterable[object]) -> None:
    digest.update(canonical_json([repr(value) for value in values]).encode("utf-8", "surrogatepass"))


def _place(number: int, places: array[int]) -> int:
    """Return how many events of the log have this id or a smaller one."""
    return bisect.bisect_right(places, number)


def _said(event: Event, places: array[int]) -> list[object]:
    data = event.data
    if "decision" in data:
        decision = data["decision"]
        data = data | {"decision": decision | {"folded": _place(decision["folded"], places)}}
    words = [event.uid.hex(), event.ts, event.kind, event.session, event.subject, event.choice]
    return [*words, canonical_json(event.metrics), canonical_json(data)]


def _placed(table: str, row: Row, places: array[int]) -> Row:
    values = list(row)
    for column in NAMING_EVENTS.get(table, ()):
        values[column] = _place(values[column], places)
    if table not in _WITHOUT_PROJECT:
        del values[0]
    if table == "session":
        decision = json.loads(values[-1])
        values[-1] = canonical_json(decision | {"folded": _place(decision["folded"], places)})
    return tuple(values)
