"""Mistakes by class over time, and sessions by context, counted from the log itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vettle.engine.analysis import recurrence
from vettle.engine.analysis.over_time import Context, mistakes_of, sessions_of
from vettle.engine.analysis.spans import first_moment
from vettle.engine.clickhouse.plan import TABLE, Engine, Plan
from vettle.engine.clock import DAY
from vettle.engine.project import Project
from vettle.engine.records.analysis import MistakesOverTime, SessionsByContext
from vettle.engine.store import Transaction, baseline
from vettle.engine.store.events import Event, Kind
from vettle.engine.store.folds import day
from vettle.engine.store.pages import events_of
from vettle.engine.upkeep.pruning import LEAST_DAYS

_DAY = f"intDiv(happened - positiveModulo(happened, {DAY}), {DAY})"

_MISTAKES = {"class": "String", "happened": "Int64", "repeat": "Float64"}
_BY_DAY = {
    "cells": (
        f"SELECT class, {_DAY} AS day, count(), toInt64(round(sum(repeat))) FROM {TABLE} GROUP BY class, day"  # noqa: S608 - constants
    )
}

_SESSIONS = {
    "context": "String",
    "event": "String",
    "score": "Nullable(Float64)",
    "mistakes": "Nullable(Float64)",
    "repeats": "Nullable(Float64)",
}


def _mean(column: str) -> str:
    return f"sumKahanOrNull({column})/nullIf(count({column}), 0)"


_BY_CONTEXT = {
    "contexts": (
        "SELECT context, countIf(event='started'), countIf(event='abandoned'), countIf(event='unrewarded'),"  # noqa: S608 - constants
        f" countIf(event='scored'), {_mean('score')},"
        f" if(count(score)>1, stddevSampStableOrNull(score), NULL), {_mean('mistakes')}, {_mean('repeats')}"
        f" FROM {TABLE} GROUP BY context"
    )
}


_KINDS: tuple[Kind, ...] = ("session_started", "session_imported", "session_scored", "session_closed")


def _whole_days(transaction: Transaction, period: str) -> int:
    """Return when the first day of the period began, before everything that may be brought from elsewhere if "all"."""
    return first_moment(transaction, period) or -(2**62)


def _missed(transaction: Transaction, since: int) -> list[str]:
    """Say that events of the period may be gone: those of the last days are never pruned."""
    if since >= transaction.now - LEAST_DAYS * DAY - DAY or not baseline.through(transaction):
        return []
    return [
        "The log was pruned: this counts what is left in it. --engine default counts what was pruned too."
    ]


def mistakes(project: Project, engine: Engine, *, period: str = "30d", limit: int = 20) -> MistakesOverTime:
    """Return what `vettle.engine.analysis.over_time.mistakes` does, unless the log was pruned: a note says so."""

    def rows(transaction: Transaction) -> Iterator[Sequence[Any]]:
        for event in events_of(transaction, ("mistake_logged",), since=since):
            if event.happened >= since:
                yield event.subject, event.happened, event.metrics["repeat"]

    with project.read() as transaction:
        since = _whole_days(transaction, period)
        found, missed = engine.ask(transaction, Plan(_MISTAKES, rows, _BY_DAY)), _missed(transaction, since)
        known = recurrence.known_before(transaction, since)
    counted = mistakes_of(
        {(name, day(number * DAY)): (count, repeats) for name, number, count, repeats in found["cells"]},
        known,
        limit,
    )
    return counted.model_copy(update={"notes": [*counted.notes, *missed]})


def sessions(
    project: Project, engine: Engine, *, context: str = "", period: str = "30d", limit: int = 20
) -> SessionsByContext:
    """Return what `vettle.engine.analysis.over_time.sessions` does, unless the log was pruned: a note says so."""

    def rows(transaction: Transaction) -> Iterator[Sequence[Any]]:
        for event in events_of(transaction, _KINDS, since=since):
            if event.happened >= since and context in ("", event.subject):
                yield from _ends(event)

    with project.read() as transaction:
        since = _whole_days(transaction, period)
        found, missed = (
            engine.ask(transaction, Plan(_SESSIONS, rows, _BY_CONTEXT)),
            _missed(transaction, since),
        )
    counted = sessions_of([Context(*row) for row in found["contexts"]], limit)
    return counted.model_copy(update={"notes": [*counted.notes, *missed]})


def _ends(event: Event) -> Iterator[Sequence[Any]]:
    """Yield what an event says of its session, as the fold of the default engine counts it."""
    nothing = (None, None, None)
    if event.kind in ("session_started", "session_imported"):
        yield event.subject, "started", *nothing
    if event.kind == "session_closed":
        yield event.subject, event.choice, *nothing
    elif "score" in event.metrics:
        numbers = (event.metrics[name] for name in ("score", "mistakes", "repeats"))
        yield event.subject, "scored", *numbers
    elif event.kind == "session_imported":
        yield event.subject, "unrewarded", *nothing
