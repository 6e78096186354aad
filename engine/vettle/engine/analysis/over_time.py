"""Mistakes by class over time, and sessions by context: from the aggregates, which are always there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from vettle.engine import paging
from vettle.engine.analysis import calendar, recurrence, trends
from vettle.engine.analysis.spans import first_moment
from vettle.engine.analysis.trends import Counts
from vettle.engine.project import Project
from vettle.engine.records.analysis import ClassOverTime, ContextSessions, MistakesOverTime, SessionsByContext
from vettle.engine.records.reports import Mean, MistakePeriod
from vettle.engine.store.folds import day
from vettle.engine.store.moments import Moments, stats


def mistakes(project: Project, *, period: str = "30d", limit: int = 20) -> MistakesOverTime:
    """Return the mistakes of a period ("30d", or "all") by class, with how often they were repeats, over time."""
    cells: dict[tuple[str, str], Counts] = {}
    with project.read() as transaction:
        since = first_moment(transaction, period)
        for stat in stats(transaction, "mistake", since=day(since) if since > 0 else ""):
            count, repeats = cells.get((stat.b, stat.a), (0, 0))
            cells[stat.b, stat.a] = count + round(stat.moments.n), repeats + round(stat.moments.total)
        known = recurrence.known_before(transaction, since)
    return mistakes_of(cells, known, limit)


def mistakes_of(
    cells: Mapping[tuple[str, str], Counts], known: Mapping[str, Counts], limit: int
) -> MistakesOverTime:
    """Return the record of mistakes that were counted by (error class, ISO date); classes share their periods.

    `known` are those of `recurrence.known_before`.
    """
    days: dict[str, Counts] = {}
    classes: dict[str, dict[str, Counts]] = defaultdict(dict)
    for (name, its_day), (count, repeats) in cells.items():
        before = days.get(its_day, (0, 0))
        days[its_day] = before[0] + count, before[1] + repeats
        classes[name][its_day] = count, repeats
    interval, starts = calendar.periods(days)
    rows = [_class(name, own, interval, starts) for name, own in classes.items()]
    rows.sort(key=lambda row: (-row.count, row.error_class))
    kept = paging.fit(rows[:limit]) if rows else []
    total, repeats = sum(count for count, _ in days.values()), sum(own for _, own in days.values())
    return MistakesOverTime(
        total=total,
        repeats=repeats,
        repeat_rate=round(repeats / total, 4) if total else None,
        classes=kept,
        trend=trends.trend(days, known),
        notes=[f"{len(kept)} of {len(rows)} classes are shown."] if len(kept) < len(rows) else [],
    )


def _class(
    name: str, days: Mapping[str, Counts], interval: calendar.Interval, starts: Sequence[date]
) -> ClassOverTime:
    sums: dict[date, Counts] = {}
    for its_day, (count, repeats) in days.items():
        start = calendar.start_of(interval, date.fromisoformat(its_day))
        before = sums.get(start, (0, 0))
        sums[start] = before[0] + count, before[1] + repeats
    count, repeats = sum(n for n, _ in days.values()), sum(own for _, own in days.values())
    return ClassOverTime(
        error_class=name,
        count=count,
        repeats=repeats,
        repeat_rate=round(repeats / count, 4),
        periods=[_period(start, *sums.get(start, (0, 0))) for start in starts],
    )


def _period(start: date, count: int, repeats: int) -> MistakePeriod:
    rate = round(repeats / count, 4) if count else None
    return MistakePeriod(start=start, count=count, repeats=repeats, rate=rate)


@dataclass(frozen=True, slots=True)
class Context:
    """The sessions of one context, before anything is rounded; `scored` have a score."""

    name: str
    started: int
    abandoned: int
    unrewarded: int
    scored: int
    score: float | None
    deviation: float | None
    mistakes: float | None
    repeats: float | None


def sessions(
    project: Project, *, context: str = "", period: str = "30d", limit: int = 20
) -> SessionsByContext:
    """Return the sessions of a period ("30d", or "all") by context: how many, how they ended, and how well."""
    groups: dict[str, dict[str, Moments]] = defaultdict(lambda: defaultdict(Moments))
    with project.read() as transaction:
        since = first_moment(transaction, period)
        for stat in stats(transaction, "session", since=day(since) if since > 0 else ""):
            if context in ("", stat.b):
                groups[stat.b][stat.metric] += stat.moments
    return sessions_of([_context(name, own) for name, own in groups.items()], limit)


def _context(name: str, own: Mapping[str, Moments]) -> Context:
    def mean(metric: str) -> float | None:
        return own[metric].mean if own[metric].n else None

    variance = own["score"].variance
    return Context(
        name=name,
        started=round(own["started"].n),
        abandoned=round(own["abandoned"].n),
        unrewarded=round(own["unrewarded"].n),
        scored=round(own["score"].n),
        score=mean("score"),
        deviation=None if variance is None else max(variance, 0.0) ** 0.5,
        mistakes=mean("mistakes"),
        repeats=mean("repeats"),
    )


def sessions_of(rows: Sequence[Context], limit: int) -> SessionsByContext:
    """Return the record of sessions that were counted by context."""
    ordered = sorted(rows, key=lambda row: (-row.scored, -row.started, row.name))
    records = [
        ContextSessions(
            context=row.name,
            started=row.started,
            abandoned=row.abandoned,
            unrewarded=row.unrewarded,
            score=Mean(n=row.scored, mean=_four(row.score)),
            deviation=_four(row.deviation),
            mistakes=_four(row.mistakes),
            repeats=_four(row.repeats),
        )
        for row in ordered[:limit]
    ]
    kept = paging.fit(records) if records else []
    return SessionsByContext(
        contexts=kept,
        notes=[f"{len(kept)} of {len(rows)} contexts are shown."] if len(kept) < len(rows) else [],
    )


def _four(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
