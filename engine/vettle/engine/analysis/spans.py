"""The runs of a period, with the names of what they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from vettle.engine.clock import DAY
from vettle.engine.store import Transaction, history
from vettle.engine.store import experiments as table
from vettle.engine.store.history import Recorded

MOST_RUNS = 10_000
"""Recordings that one summary reads, so that it costs the same in a project of any age."""


@dataclass(frozen=True, slots=True)
class Named:
    """A run with its experiment's name, its variant as "experiment / variant", and its context ("" if none)."""

    run: Recorded
    experiment: str
    variant: str
    context: str


def first_moment(transaction: Transaction, period: str) -> int:
    """Return when a period ("30d", or "all") that ends now begins, in microseconds.

    That is the beginning of a day, UTC: aggregates are kept by days, and everything has to count the same sessions.
    """
    if period == "all":
        return 0
    moment = transaction.now - int(period[:-1]) * DAY
    return moment - moment % DAY


def named_runs(
    transaction: Transaction, *, since: int, context: str = "", limit: int = MOST_RUNS
) -> tuple[list[Named], bool]:
    """Return the runs since the given time, newest first, and whether older ones were left out.

    The context is that of the assignment, else the run's own, else its experiment's.
    """
    recorded, cut = history.runs_recorded(transaction, since=since, limit=limit)
    names = Names(transaction)
    found = [names.of(run) for run in recorded]
    return [one for one in found if context in ("", one.context)], cut


class Names:
    """The names of what runs belong to, each experiment looked up once."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._known: dict[str, tuple[str, str, dict[str, str]]] = {}

    def of(self, run: Recorded) -> Named:
        """Return the run with its names."""
        if run.experiment not in self._known:
            self._known[run.experiment] = _names(self._transaction, run.experiment)
        name, its_context, variants = self._known[run.experiment]
        own = run.context or str(run.data.get("context") or its_context)
        return Named(run, name, f"{name} / {variants.get(run.variant, run.variant[:12])}", own)


def _names(transaction: Transaction, experiment: str) -> tuple[str, str, dict[str, str]]:
    found = table.get(transaction, experiment)
    if found is None:
        return experiment, "", {}
    return found.name, found.context, {one["id"]: one["name"] for one in found.design["variants"]}
