"""What may be thrown away: answers kept for retries, and the snapshot of the posterior."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vettle.engine.store.events import Transaction

_PAGE = 500


def reply(transaction: Transaction, uid: bytes) -> tuple[bytes, str] | None:
    """Return (hash of the arguments, answer as JSON) of the call that this uid identifies, if it was made."""
    rows = transaction.execute(
        "SELECT arguments, answer FROM reply WHERE project=? AND uid=?", (transaction.project, uid)
    )
    return (bytes(rows[0][0]), str(rows[0][1])) if rows else None


def keep_reply(transaction: Transaction, uid: bytes, arguments: bytes, answer: str) -> None:
    """Keep the answer of a call, so that a retry gets the same one."""
    transaction.execute(
        "INSERT INTO reply(project, uid, arguments, answer, ts) VALUES (?,?,?,?,?)",
        (transaction.project, uid, arguments, answer, transaction.now),
    )


@dataclass(frozen=True)
class Reply:
    """An answer that was kept: of which call, the hash of its arguments, as JSON, and when it was given."""

    uid: bytes
    arguments: bytes
    answer: str
    ts: int


def replies(transaction: Transaction) -> Iterator[Reply]:
    """Yield all kept answers, in the order of their uids."""
    after = b""
    while True:
        rows = transaction.execute(
            "SELECT uid, arguments, answer, ts FROM reply WHERE project=? AND uid>? ORDER BY uid LIMIT ?",
            (transaction.project, after, _PAGE),
        )
        yield from (Reply(bytes(uid), bytes(arguments), answer, ts) for uid, arguments, answer, ts in rows)
        if len(rows) < _PAGE:
            return
        after = bytes(rows[-1][0])


def count_replies(transaction: Transaction) -> int:
    """Return how many answers are kept."""
    rows = transaction.execute("SELECT count(*) FROM reply WHERE project=?", (transaction.project,))
    return int(rows[0][0])


def restore_reply(transaction: Transaction, kept: Reply) -> None:
    """Keep an answer that was given elsewhere, as of when it was given."""
    transaction.execute(
        "INSERT INTO reply(project, uid, arguments, answer, ts) VALUES (?,?,?,?,?)",
        (transaction.project, kept.uid, kept.arguments, kept.answer, kept.ts),
    )


def snapshot(transaction: Transaction, policy: str) -> tuple[int, bytes] | None:
    """Return (last event folded, state) of the posterior under this policy version, if one was kept."""
    rows = transaction.execute(
        "SELECT event, state FROM snapshot WHERE project=? AND policy=?", (transaction.project, policy)
    )
    return (int(rows[0][0]), bytes(rows[0][1])) if rows else None


def keep_snapshot(transaction: Transaction, policy: str, event: int, state: bytes) -> None:
    """Replace the snapshot of the posterior."""
    transaction.execute(
        "INSERT INTO snapshot(project, policy, event, state) VALUES (?,?,?,?)"
        " ON CONFLICT(project) DO UPDATE SET policy=excluded.policy, event=excluded.event, state=excluded.state",
        (transaction.project, policy, event, state),
    )


def forget_snapshot(transaction: Transaction) -> None:
    """Throw the snapshot of the posterior away: the next process folds the whole log."""
    transaction.execute("DELETE FROM snapshot WHERE project=?", (transaction.project,))
