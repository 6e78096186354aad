"""What is read of sessions to rank the models that they ran on."""

from __future__ import annotations

from typing import NamedTuple

from vettle.engine.store.events import Transaction


class ScoredSession(NamedTuple):
    """A session with a model and a score; `started` is in microseconds."""

    context: str
    model: str
    started: int
    score: float


def scored_sessions(transaction: Transaction, since: int = 0) -> list[ScoredSession]:
    """Return the scored sessions with a model that started at or after the given time, in that order."""
    rows = transaction.execute(
        "SELECT context, model, started, score FROM session"
        " WHERE project=? AND started>=? AND score IS NOT NULL AND model<>'' ORDER BY started, id",
        (transaction.project, since),
    )
    return [ScoredSession(*row) for row in rows]


def models(transaction: Transaction) -> list[str]:
    """Return every model that a session named, sorted."""
    rows = transaction.execute(
        "SELECT DISTINCT model FROM session WHERE project=? AND model<>'' ORDER BY model",
        (transaction.project,),
    )
    return [str(row[0]) for row in rows]
