"""Events: every fact, appended once, never changed. Everything else is a fold of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vettle.engine.identifiers import canonical_json
from vettle.engine.progress import is_wanted, tracked
from vettle.engine.store.database import Connection, Dialect, Row, Value

Kind = Literal[
    "rule_added",
    "rule_decided",
    "rule_reinforced",
    "session_started",
    "session_imported",
    "mistake_logged",
    "reward_logged",
    "session_ended",
    "session_scored",
    "session_closed",
    "drift_alarmed",
    "experiment_created",
    "experiment_decided",
    "variable_registered",
    "variant_assigned",
    "run_recorded",
]

LEARNED_KINDS = ("session_scored", "session_closed", "mistake_logged", "rule_added", "rule_decided")
"""The kinds that the posterior folds."""


@dataclass(frozen=True)
class Event:
    """One fact.

    `session`, `subject` and `choice` are "" where a kind has none. `id` orders the events of a database
    and is 0 until the event is stored; `uid` is what makes an event the same event on another machine.
    """

    kind: Kind
    uid: bytes
    session: str = ""
    subject: str = ""
    choice: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    ts: int = 0

    @property
    def happened(self) -> int:
        """When the fact took place: for one brought from another system earlier than it was stored."""
        return int(self.data.get("happened") or self.ts)


class Transaction:
    """An open transaction on one project: run SQL, append events, know the time.

    `now` is fixed for the whole transaction and never before the newest event of the project, so a clock
    that goes backwards cannot reorder history.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        project: int,
        now: int,
        dialect: Dialect,
        fold: Callable[[Transaction, Event], None],
    ) -> None:
        self._connection = connection
        self._fold = fold
        self.gathered: dict[tuple[str, str, str, str], Any] | None = None
        """The moments that `moments.gathering` holds back."""
        self.project = project
        self.now = now
        self.rules_decided = False
        """Whether an event of this transaction changed a rule's status or its text."""
        self._dialect = dialect

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """Run one statement of portable SQL with `?` placeholders."""
        return self._connection.execute(sql, parameters)

    def append(self, event: Event) -> Event:
        """Store the event at the present time, fold it into the tables, and return it with its id."""
        rows = self.execute(
            "INSERT INTO event(project, uid, ts, kind, session, subject, choice, metrics, data)"
            " VALUES (?,?,?,?,?,?,?,?,?) RETURNING id",
            (
                self.project,
                event.uid,
                self.now,
                event.kind,
                event.session,
                event.subject,
                event.choice,
                canonical_json(event.metrics),
                canonical_json(event.data),
            ),
        )
        stored = replace(event, id=int(rows[0][0]), ts=self.now)
        self._fold(self, stored)
        self.rules_decided |= event.kind == "rule_decided"
        return stored

    def restore(self, event: Event, *, keep_id: bool, fold: bool = True) -> Event:
        """Store an event of another log at its own time, fold it, and return it with its id here.

        Without `fold` the tables hold already what it says (see `baseline`).
        Ids order events: only a database without any can take those of another log over, and has to `move_ids`
        past them afterwards.
        """
        columns = "project, uid, ts, kind, session, subject, choice, metrics, data"
        values: list[Value] = [self.project, event.uid, event.ts, event.kind, event.session, event.subject]
        values += [event.choice, canonical_json(event.metrics), canonical_json(event.data)]
        if keep_id:
            columns, values = f"id, {columns}", [event.id, *values]
        rows = self.execute(
            f"INSERT INTO event({columns}) VALUES ({','.join('?' * len(values))}) RETURNING id",  # noqa: S608 - constants
            values,
        )
        stored, now = replace(event, id=int(rows[0][0])), self.now
        self.rules_decided |= event.kind == "rule_decided"
        if not fold:
            return stored
        try:
            self.replay(stored)
        finally:
            self.now = now
        return stored

    def move_ids(self) -> None:
        """Let events stored from now on get ids beyond those that were restored with theirs."""
        if self._dialect.move_ids:
            self.execute(self._dialect.move_ids)

    def hold_ids(self) -> None:
        """Keep writers of other projects of the database from storing events until this transaction ends."""
        if self._dialect.hold_ids:
            self.execute(self._dialect.hold_ids)

    def take_ids(self, number: int) -> list[int]:
        """Return ids for so many events to come, in order, that no other event has or will get."""
        if self._dialect.take_ids:
            return sorted(int(row[0]) for row in self.execute(self._dialect.take_ids, (number,)))
        [[last]] = self.execute("SELECT coalesce(max(id), 0) FROM event")
        return list(range(last + 1, last + number + 1))

    def replay(self, event: Event) -> None:
        """Fold a stored event again, at its own time, into tables that do not hold it yet."""
        self.now = event.ts
        self._fold(self, event)


COLUMNS = "id, uid, ts, kind, session, subject, choice, metrics, data"
"""What `of_row` reads."""

_PAGE = 2_000
_LAST_ID = 2**63 - 1


def of_row(row: Row) -> Event:
    """Return the event in a row of `COLUMNS`."""
    number, uid, ts, kind, session, subject, choice, metrics, data = row
    return Event(
        kind=kind,
        uid=bytes(uid),
        session=session,
        subject=subject,
        choice=choice,
        metrics=json.loads(metrics),
        data=json.loads(data),
        id=number,
        ts=ts,
    )


def every(transaction: Transaction, *, after: int = 0) -> Iterator[Event]:
    """Yield all events after the given id, in order."""
    total = count(transaction) if is_wanted() and not after else 0
    yield from tracked(_pages(transaction, after), "reading events", total)


def _pages(transaction: Transaction, after: int) -> Iterator[Event]:
    while True:
        rows = transaction.execute(
            f"SELECT {COLUMNS} FROM event WHERE project=? AND id>? ORDER BY id LIMIT ?",  # noqa: S608 - constant columns
            (transaction.project, after, _PAGE),
        )
        yield from map(of_row, rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def to_learn(transaction: Transaction, *, after: int, through: int | None = None) -> Iterator[Event]:
    """Yield the events that the posterior folds, in order: later than `after`, up to and with `through`."""
    last = _LAST_ID if through is None else through
    while True:
        rows = transaction.execute(
            f"SELECT {COLUMNS} FROM event WHERE project=? AND id>? AND id<=?"  # noqa: S608 - constants
            f" AND kind IN ({','.join('?' * len(LEARNED_KINDS))})"
            " AND (kind<>'mistake_logged' OR choice<>'') ORDER BY id LIMIT ?",
            (transaction.project, after, last, *LEARNED_KINDS, _PAGE),
        )
        yield from map(of_row, rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def with_uid(transaction: Transaction, uid: bytes) -> Event | None:
    """Return the event with this uid, if there is one."""
    rows = transaction.execute(
        f"SELECT {COLUMNS} FROM event WHERE project=? AND uid=?",  # noqa: S608 - constant columns
        (transaction.project, uid),
    )
    return of_row(rows[0]) if rows else None


def newest_time(transaction: Transaction) -> int:
    """Return when the newest event of the project was stored, or 0."""
    rows = transaction.execute(
        "SELECT ts FROM (SELECT ts FROM event WHERE project=? ORDER BY id DESC LIMIT 1) AS newest"
        " UNION ALL SELECT CAST(value AS BIGINT) FROM meta WHERE key=?",
        (transaction.project, _newest_key(transaction)),
    )
    return max((int(row[0]) for row in rows), default=0)


def keep_newest_time(transaction: Transaction, ts: int) -> None:
    """Remember the newest time of all, where the event with the largest id may be an older one of another log."""
    transaction.execute(
        "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
        (_newest_key(transaction), str(max(ts, newest_time(transaction)))),
    )


def _newest_key(transaction: Transaction) -> str:
    return f"newest {transaction.project}"


def is_first_log(transaction: Transaction) -> bool:
    """Return whether the database holds no event at all, of no project; then none can come from elsewhere either."""
    if transaction.execute("SELECT 1 FROM event LIMIT 1"):
        return False
    transaction.hold_ids()
    return not transaction.execute("SELECT 1 FROM event LIMIT 1")


def of_session(transaction: Transaction, session: str, *, limit: int = 1_000) -> list[Event]:
    """Return the events of one session in order, at most `limit`."""
    rows = transaction.execute(
        f"SELECT {COLUMNS} FROM event WHERE project=? AND session=? ORDER BY ts, id LIMIT ?",  # noqa: S608 - constant columns
        (transaction.project, session, limit),
    )
    return list(map(of_row, rows))


def of_subject(
    transaction: Transaction, subject: str, kinds: Sequence[Kind], *, limit: int = 1_000
) -> list[Event]:
    """Return the oldest `limit` events about one subject (a rule id), of the given kinds, in order."""
    rows = transaction.execute(
        f"SELECT {COLUMNS} FROM event WHERE project=? AND subject=?"  # noqa: S608 - constant columns
        f" AND kind IN ({','.join('?' * len(kinds))}) ORDER BY ts, id LIMIT ?",
        (transaction.project, subject, *kinds, limit),
    )
    return list(map(of_row, rows))


def newest(transaction: Transaction, kind: Kind, *, limit: int) -> list[Event]:
    """Return the newest events of one kind, newest first."""
    rows = transaction.execute(
        f"SELECT {COLUMNS} FROM event WHERE project=? AND kind=? ORDER BY ts DESC, id DESC LIMIT ?",  # noqa: S608 - constant columns
        (transaction.project, kind, limit),
    )
    return list(map(of_row, rows))


def began_anew(transaction: Transaction, rule_id: str, *, after: int) -> bool:
    """Return whether the rule was restored or reworded later than the given event."""
    rows = transaction.execute(
        "SELECT 1 FROM event WHERE project=? AND subject=? AND kind='rule_decided'"
        " AND choice IN ('restore', 'reword') AND id>? LIMIT 1",
        (transaction.project, rule_id, after),
    )
    return bool(rows)


def count(transaction: Transaction) -> int:
    """Return how many events the project has."""
    return int(
        transaction.execute("SELECT count(*) FROM event WHERE project=?", (transaction.project,))[0][0]
    )
