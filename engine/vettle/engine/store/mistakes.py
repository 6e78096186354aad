"""The `mistake` and `term` tables: every distinct mistake once, with an index of its words.

The index grows with distinct mistakes, not with events. A lookup reads a bounded number of postings.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vettle.engine.identifiers import hash63
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event, Transaction


@dataclass(frozen=True)
class Mistake:
    """One distinct mistake. `n` and `sessions` are counted on the canonical wording only."""

    id: int
    error_class: str
    text: str
    norm: str
    terms: frozenset[str]
    canonical: int
    n: int
    sessions: int
    last_session: str
    correction: str


_MOST_AT_ONCE = 500
_COLUMNS = "id, class, text, norm, terms, canonical, n, sessions, last_session, correction"


def _mistake(row: Row) -> Mistake:
    number, error_class, text, norm, terms, *rest = row
    return Mistake(number, error_class, text, norm, frozenset(terms.split()), *rest)


def _term_key(error_class: str, term: str) -> int:
    return hash63(error_class, term)


def log(transaction: Transaction, event: Event) -> None:
    """Fold a `mistake_logged` event: store a new wording, and count the mistake it is a wording of."""
    data, project = event.data, transaction.project
    known = with_hash(transaction, event.subject, data["hash"])
    if known is None:
        known = _insert(transaction, event)
    transaction.execute(
        "UPDATE mistake SET n=n+1, last_ts=?, sessions=sessions+(CASE WHEN last_session=? THEN 0 ELSE 1 END),"
        " last_session=?, correction=CASE WHEN ?='' THEN correction ELSE ? END WHERE project=? AND id=?",
        (
            event.happened,
            event.session,
            event.session,
            data["correction"],
            data["correction"],
            project,
            known.canonical,
        ),
    )


def _insert(transaction: Transaction, event: Event) -> Mistake:
    data, project = event.data, transaction.project
    same = with_hash(transaction, event.subject, data["same_as"]) if data["same_as"] else None
    rows = transaction.execute(
        "INSERT INTO mistake(project, class, hash, text, norm, terms, canonical, n, sessions, last_session,"
        " correction, first_ts, last_ts) VALUES (?,?,?,?,?,?,0,0,0,'','',?,?) RETURNING id",
        (
            project,
            event.subject,
            data["hash"],
            data["description"],
            data["norm"],
            " ".join(data["terms"]),
            event.happened,
            event.happened,
        ),
    )
    number = int(rows[0][0])
    transaction.execute(
        "UPDATE mistake SET canonical=? WHERE id=?", (same.canonical if same else number, number)
    )
    keys = sorted({_term_key(event.subject, term) for term in data["terms"]})
    if keys:
        values = ",".join(["(?,?,?)"] * len(keys))
        transaction.execute(
            f"INSERT INTO term(project, key, mistake) VALUES {values} ON CONFLICT DO NOTHING",  # noqa: S608 - `?` only
            [value for key in keys for value in (project, key, number)],
        )
    inserted = get(transaction, number)
    assert inserted is not None
    return inserted


def get(transaction: Transaction, number: int) -> Mistake | None:
    """Return the mistake with this number, if there is one."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM mistake WHERE project=? AND id=?",  # noqa: S608 - constant columns
        (transaction.project, number),
    )
    return _mistake(rows[0]) if rows else None


def with_hash(transaction: Transaction, error_class: str, hash_: int) -> Mistake | None:
    """Return the mistake of this class with this normal form, if there is one."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM mistake WHERE project=? AND class=? AND hash=?",  # noqa: S608 - constant columns
        (transaction.project, error_class, hash_),
    )
    return _mistake(rows[0]) if rows else None


def with_ids(transaction: Transaction, numbers: Sequence[int]) -> list[Mistake]:
    """Return the mistakes with these numbers, in the order of their numbers."""
    if not numbers:
        return []
    # A number is unique in the database; a condition on the project would make SQLite walk all of its mistakes.
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM mistake WHERE id IN ({','.join('?' * len(numbers))}) ORDER BY id",  # noqa: S608 - constant columns, `?` only
        numbers,
    )
    return list(map(_mistake, rows))


def postings(transaction: Transaction, error_class: str, term: str, limit: int) -> list[int]:
    """Return the numbers of at most `limit` mistakes of this class that contain the term."""
    rows = transaction.execute(
        "SELECT mistake FROM term WHERE project=? AND key=? LIMIT ?",
        (transaction.project, _term_key(error_class, term), limit),
    )
    return [int(row[0]) for row in rows]


def prevented(transaction: Transaction, error_class: str, *, limit: int = 10_000) -> frozenset[int]:
    """Return the hashes of the mistakes of a class that were logged with a rule that should have prevented them.

    Only the newest `limit` that name a rule are read, however many there are that name none.
    """
    rows = transaction.execute(
        "SELECT data FROM event WHERE project=? AND subject=? AND kind='mistake_logged' AND choice<>''"
        " ORDER BY ts DESC, id DESC LIMIT ?",
        (transaction.project, error_class, limit),
    )
    logged = (json.loads(row[0]) for row in rows)
    return frozenset(data[key] for data in logged for key in ("hash", "same_as") if data[key])


def known_before(
    transaction: Transaction, signatures: Collection[tuple[str, int]], time: int
) -> set[tuple[str, int]]:
    """Return those of these mistakes, as (class, hash), that were first made before a time, in whatever words."""
    by_class: dict[str, list[int]] = defaultdict(list)
    for error_class, hash_ in sorted(signatures):
        by_class[error_class].append(hash_)
    found: set[tuple[str, int]] = set()
    for error_class, hashes in by_class.items():
        for first in range(0, len(hashes), _MOST_AT_ONCE):
            some = hashes[first : first + _MOST_AT_ONCE]
            rows = transaction.execute(
                "SELECT m.hash FROM mistake m JOIN mistake c ON c.id=m.canonical"  # noqa: S608 - `?` only
                f" WHERE m.project=? AND m.class=? AND c.first_ts<? AND m.hash IN ({','.join('?' * len(some))})",
                (transaction.project, error_class, time, *some),
            )
            found.update((error_class, int(row[0])) for row in rows)
    return found


def recurring(transaction: Transaction, *, limit: int = 5) -> list[Mistake]:
    """Return the mistakes made most often, at least twice, the most frequent first."""
    rows = transaction.execute(
        "SELECT id FROM mistake WHERE project=? AND n>1 ORDER BY n DESC, id LIMIT ?",
        (transaction.project, limit),
    )
    found = {mistake.id: mistake for mistake in with_ids(transaction, [row[0] for row in rows])}
    return [found[row[0]] for row in rows]


def recurring_in_class(transaction: Transaction, error_class: str, *, limit: int = 5) -> list[Mistake]:
    """Return the mistakes of one class among the 200 made most often, the most frequent first."""
    rows = transaction.execute(
        "SELECT id, class FROM mistake WHERE project=? AND n>1 ORDER BY n DESC, id LIMIT 200",
        (transaction.project,),
    )
    chosen = [row[0] for row in rows if row[1] == error_class][:limit]
    found = {mistake.id: mistake for mistake in with_ids(transaction, chosen)}
    return [found[number] for number in chosen]
