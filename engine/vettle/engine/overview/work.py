"""Sessions over time."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from vettle.engine.analysis import calendar, spans
from vettle.engine.clock import moment
from vettle.engine.project import Project
from vettle.engine.records.overview import Work, WorkPeriod
from vettle.engine.store.folds import day
from vettle.engine.store.moments import Moments, stats

_Sums = defaultdict[str, Moments]


def over_time(project: Project, period: str, pace: float | None) -> Work:
    """Return how many sessions there were and how they went, day by day or week by week, of all contexts.

    `pace` is how many begin in a day by now, as `overall.status` tells it.
    """
    with project.read() as transaction:
        since = spans.first_moment(transaction, period)
        today = moment(transaction.now).date()
        found = stats(transaction, "session", since=day(since) if since else "")
    days: dict[str, _Sums] = defaultdict(lambda: defaultdict(Moments))
    for stat in found:
        days[stat.a][stat.metric] += stat.moments
    # Up to today, so that a week without work is seen as one.
    interval, starts = calendar.periods({*days, today.isoformat()} if days else days)
    sums: dict[date, _Sums] = defaultdict(lambda: defaultdict(Moments))
    for name, metrics in days.items():
        for metric, moments in metrics.items():
            sums[calendar.start_of(interval, date.fromisoformat(name))][metric] += moments
    return Work(
        interval=interval,
        periods=[_period(start, sums[start]) for start in starts],
        started=round(sum(own["started"].n for own in days.values())),
        scored=round(sum(own["score"].n for own in days.values())),
        pace=pace,
    )


def _period(start: date, sums: _Sums) -> WorkPeriod:
    score, mistakes = sums["score"], sums["mistakes"]
    return WorkPeriod(
        start=start,
        started=round(sums["started"].n),
        scored=round(score.n),
        score=round(score.mean, 4) if score.n else None,
        mistakes=round(mistakes.mean, 4) if mistakes.n else None,
    )
