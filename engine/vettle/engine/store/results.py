"""What is read of sessions and runs to rank the models, or other values, that they ran on: the newest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nlargest
from typing import NamedTuple

from vettle.engine.store.events import Transaction
from vettle.engine.store.parsing import parsed
from vettle.engine.store.runs import Run

_AHEAD = 60_000_000
"""How much later than it is recorded, in microseconds, a run may say that it was produced."""


class ScoredSession(NamedTuple):
    """A session with a model and a score; `started` is in microseconds."""

    context: str
    model: str
    started: int
    score: float


def scored_sessions(transaction: Transaction, since: int = 0, *, limit: int) -> list[ScoredSession]:
    """Return the newest scored sessions with a model, in the order in which they started.

    Those that started before the given time are left out.
    """
    rows = transaction.execute(
        "SELECT context, model, started, score FROM session"
        " WHERE project=? AND started>=? AND score IS NOT NULL AND model<>''"
        " ORDER BY started DESC, id DESC LIMIT ?",
        (transaction.project, since, limit),
    )
    return [ScoredSession(*row) for row in reversed(rows)]


def models(transaction: Transaction, since: int = 0) -> dict[str, int]:
    """Return every model that a session named, sorted, with its scored sessions that started since a time."""
    rows = transaction.execute(
        "SELECT model, sum(CASE WHEN started>=? AND score IS NOT NULL THEN 1 ELSE 0 END) FROM session"
        " WHERE project=? AND model<>'' GROUP BY model ORDER BY model",
        (since, transaction.project),
    )
    return {str(model): int(number) for model, number in rows}


class Recent(NamedTuple):
    """Where the newest runs begin: those with an event later than `after`; `older` ones lie before."""

    after: int
    older: int


def recent_runs(transaction: Transaction, experiments: Sequence[str], since: int, *, limit: int) -> Recent:
    """Tell from which event on the newest runs of these experiments were recorded, at most `limit` of them.

    Runs that were recorded before the given time are not counted: none of them can have been produced after it.
    """
    after = _before(transaction, since)
    counts = {experiment: _recorded(transaction, experiment, after) for experiment in experiments}
    older = sum(counts.values()) - limit
    if older <= 0:
        return Recent(after, 0)
    newest = (
        row[0]
        for experiment in experiments
        for row in transaction.execute(
            "SELECT event FROM run WHERE project=? AND experiment=? AND event>? ORDER BY event DESC LIMIT ?",
            (transaction.project, experiment, after, limit),
        )
    )
    return Recent(nlargest(limit, newest)[-1] - 1, older)


def _before(transaction: Transaction, since: int) -> int:
    """Return the id of the last event before the first recording of a run at or after the given time.

    Pruning leaves these events in the log.
    """
    if since <= 0:
        return 0
    [[first]] = transaction.execute(
        "SELECT min(id) FROM event WHERE project=? AND kind='run_recorded' AND ts>=?",
        (transaction.project, since - _AHEAD),
    )
    return 2**62 if first is None else int(first) - 1


def _recorded(transaction: Transaction, experiment: str, after: int) -> int:
    [[number]] = transaction.execute(
        "SELECT count(*) FROM run WHERE project=? AND experiment=? AND event>?",
        (transaction.project, experiment, after),
    )
    return int(number)


def runs_after(
    transaction: Transaction, experiment: str, epoch: int, after: int
) -> Iterator[tuple[Run, str]]:
    """Yield the runs about which anything was recorded after an event, with the context of their assignment or "".

    They come in the order in which they were first recorded, which is after the event `epoch`.
    """
    rows = transaction.execute(
        "SELECT r.unit, r.event, r.first, r.variant, r.status, r.metrics, r.data, r.ts, a.context FROM run r"
        " LEFT JOIN assignment a ON a.project=r.project AND a.experiment=r.experiment AND a.unit=r.unit AND a.event>?"
        " WHERE r.project=? AND r.experiment=? AND r.event>? AND r.first>? ORDER BY r.first",
        (epoch, transaction.project, experiment, after, epoch),
    )
    for unit, event, first, variant, status, metrics, data, ts, context in rows:
        yield Run(unit, event, first, variant, status, parsed(metrics), parsed(data), ts), context or ""
