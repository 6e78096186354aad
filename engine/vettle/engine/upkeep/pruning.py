"""Removing what the log no longer needs: events of sessions that are over, which nothing but counts came from.

What stays, so that nothing changes but the length of the log: every event about rules, experiments, runs and
variables; what the posterior folds (scored and closed sessions, mistakes that named a rule); events of sessions
that are not over, without a session, or brought from another system (they are known again by their uid); and what
is removed stays counted, in tables that are kept as of the last event pruned (`store/baseline.py`). The one thing
lost is the recomputation of the decisions of pruned sessions, and their lines in `vettle events`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vettle.engine.clock import DAY, moment
from vettle.engine.errors import InvalidArgument, StatusRefused
from vettle.engine.project import Project
from vettle.engine.records.upkeep import LogPruned
from vettle.engine.store import MEMORY, Transaction, baseline, events, open_store
from vettle.engine.store.baseline import Part
from vettle.engine.store.folds import replay_log

LEAST_DAYS = 30
"""Days that are always kept: sessions of a month are looked at, argued about and compared."""


def prune(project: Project, *, keep_days: float, apply: bool = True) -> LogPruned:
    """Remove what nothing but counts came from, of sessions that are over, from before the last `keep_days` days.

    Reports, rules, the posterior, decisions to come and verdicts stay the same. Without `apply` it is only counted
    how many events that would be. The log is folded once in memory while others write; they wait only for the
    removal itself. SQLite uses the room for new events; the file does not shrink.

    Raises:
        InvalidArgument: Fewer than 30 days are to be kept.
        StatusRefused: Somebody else pruned the log meanwhile.
    """
    if not keep_days >= LEAST_DAYS:
        raise InvalidArgument("keep_days", f"{keep_days:g} is too few", f"Keep {LEAST_DAYS} days or more.")
    with project.read() as transaction:
        before = int(max(transaction.now - keep_days * DAY, 0))
        last = baseline.last_before(transaction, before)
        earlier, total = baseline.through(transaction), events.count(transaction)
        removed = baseline.count_spent(transaction, last)
        parts = list(_as_of(transaction, last)) if apply and removed else []
    if parts:
        with project.write() as transaction:
            if baseline.through(transaction) != earlier:
                raise StatusRefused(
                    "the log", "pruned by somebody else just now", "be pruned", ("look again",)
                )
            total = events.count(transaction)
            removed = baseline.count_spent(transaction, last)
            baseline.keep(transaction, max(last, earlier), iter(parts))
            baseline.remove_spent(transaction, last)
    return LogPruned(
        before=moment(before),
        through=last if removed else earlier,
        removed=removed,
        kept=total - removed,
        applied=bool(parts),
        next_step=_next(removed, bool(parts)),
    )


def _as_of(transaction: Transaction, last: int) -> Iterator[Part]:
    """Yield the kept tables as they stood right after an event, folded in memory."""
    if last < baseline.through(transaction):
        # A clock that went back: what was folded into the kept tables cannot be taken out again.
        yield from baseline.parts(transaction)
        return
    store = open_store(MEMORY)
    try:
        with store.write() as counted:
            replay_log(transaction, counted, through=last)
            yield from baseline.of_tables(counted)
    finally:
        store.close()


def _next(removed: int, applied: bool) -> str:
    if applied:
        return "See that all is well: vettle db check."
    return "To remove them: vettle db prune without --dry-run." if removed else "Nothing to remove."
