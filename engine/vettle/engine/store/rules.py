"""The `rule` table: where every rule stands now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import get_args

from vettle.engine.clock import moment
from vettle.engine.identifiers import canonical_json
from vettle.engine.records import Rule, RuleStatus
from vettle.engine.store.database import Row
from vettle.engine.store.events import Event, Transaction

_COLUMNS = "id, text, category, context, globs, source, status, reason, rationale, prior, created"


def _rule(row: Row) -> Rule:
    number, text, category, context, globs, source, status, reason, rationale, prior, created = row
    return Rule(
        id=number,
        text=text,
        category=category,
        context=context,
        globs=tuple(json.loads(globs)),
        source=source,
        status=status,
        reason=reason,
        rationale=rationale,
        prior=prior,
        created=moment(created),
    )


def add(transaction: Transaction, event: Event) -> None:
    """Fold a `rule_added` event."""
    data = event.data
    transaction.execute(
        f"INSERT INTO rule(project, event, hash, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - constant columns
        (
            transaction.project,
            event.id,
            data["hash"],
            event.subject,
            data["text"],
            data["category"],
            data["context"],
            canonical_json(data["globs"]),
            event.choice,
            data["status"],
            data["reason"],
            data["rationale"],
            data["prior"],
            event.ts,
        ),
    )


def decide(transaction: Transaction, event: Event) -> None:
    """Fold a `rule_decided` event: the new status, and the new text of a reworded rule."""
    data = event.data
    transaction.execute(
        "UPDATE rule SET status=?, reason=? WHERE project=? AND id=?",
        (data["new"], data["reason"], transaction.project, event.subject),
    )
    if "text" in data:
        transaction.execute(
            "UPDATE rule SET text=?, hash=? WHERE project=? AND id=?",
            (data["text"], data["hash"], transaction.project, event.subject),
        )


def get(transaction: Transaction, rule_id: str) -> Rule | None:
    """Return the rule with this id, if there is one."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM rule WHERE project=? AND id=?",  # noqa: S608 - constant columns
        (transaction.project, rule_id),
    )
    return _rule(rows[0]) if rows else None


def with_hash(transaction: Transaction, hash_: int) -> Rule | None:
    """Return the oldest rule that says the same (see `similarity.rule_hash`)."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM rule WHERE project=? AND hash=? ORDER BY event LIMIT 1",  # noqa: S608 - constant columns
        (transaction.project, hash_),
    )
    return _rule(rows[0]) if rows else None


def every(transaction: Transaction) -> list[Rule]:
    """Return all rules, oldest first."""
    return with_status(transaction, get_args(RuleStatus))


def ids(transaction: Transaction) -> frozenset[str]:
    """Return the ids of all rules."""
    rows = transaction.execute("SELECT id FROM rule WHERE project=?", (transaction.project,))
    return frozenset(str(row[0]) for row in rows)


def texts(transaction: Transaction) -> dict[str, str]:
    """Return the texts of all rules by id."""
    rows = transaction.execute("SELECT id, text FROM rule WHERE project=?", (transaction.project,))
    return {str(row[0]): str(row[1]) for row in rows}


def with_status(transaction: Transaction, statuses: Sequence[str]) -> list[Rule]:
    """Return all rules in any of these statuses, oldest first."""
    rows = transaction.execute(
        f"SELECT {_COLUMNS} FROM rule WHERE project=?"  # noqa: S608 - constant columns, `?` only
        f" AND status IN ({','.join('?' * len(statuses))}) ORDER BY event",
        (transaction.project, *statuses),
    )
    return list(map(_rule, rows))


def count_by_status(transaction: Transaction) -> dict[str, int]:
    """Return how many rules stand in each status (statuses without rules are left out)."""
    rows = transaction.execute(
        "SELECT status, count(*) FROM rule WHERE project=? GROUP BY status ORDER BY status",
        (transaction.project,),
    )
    return dict(rows)


def ids_like(transaction: Transaction, prefix: str, limit: int = 5) -> list[str]:
    """Return ids that begin with the prefix, which is compared literally."""
    rows = transaction.execute(
        "SELECT id FROM rule WHERE project=? AND substr(id, 1, ?)=? ORDER BY id LIMIT ?",
        (transaction.project, len(prefix), prefix, limit),
    )
    return [str(row[0]) for row in rows]
