"""The plain numbers of one value's outcomes: counts, means of what was recorded, and its days."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar, get_args

from vettle.engine.clock import DAY, moment
from vettle.engine.experiments.measures import mean_of, rounded
from vettle.engine.ranking.beliefs import Belief
from vettle.engine.ranking.outcomes import Outcome
from vettle.engine.records.ranking import ComparedVariant, RankedVariant, Rating, TrendDay
from vettle.engine.store.folds import day as day_of

TREND_DAYS = 90
"""The most days of a trend; the newest are kept."""

Rows = Sequence[Outcome]

Key = TypeVar("Key", str, int)


def ranked(
    value: str, rows: Rows, belief: Belief, *, demoted: bool, advice: list[str], days: bool
) -> RankedVariant:
    """Return how one value stands in a context, with its trend if `days`."""
    wins = _wins(rows)
    ratings = Counter(row.rating for row in rows)
    names: tuple[Rating, ...] = get_args(Rating)
    return RankedVariant(
        value=value,
        tried=bool(rows),
        n=len(rows),
        mean=round(belief.mean, 4),
        low=round(belief.low, 4),
        high=round(belief.high, 4),
        chance_best=round(belief.chance_best, 4),
        rate=_rate(rows),
        successes=wins,
        failures=len(rows) - wins,
        timeouts=_timeouts(rows),
        duration_ms=mean_of([row.duration_ms for row in rows]),
        tokens=mean_of([row.tokens for row in rows]),
        cost=mean_of([row.cost for row in rows]),
        retries=_retries(rows),
        escalations=_escalations(rows),
        ratings={name: ratings[name] for name in names if ratings[name]},
        last_used=moment(rows[-1].happened) if rows else None,
        demoted=demoted,
        advice=advice,
        trend=_trend(rows) if days else [],
    )


def compared(value: str, rows: Rows) -> ComparedVariant:
    """Return one side of a comparison."""
    return ComparedVariant(
        value=value,
        trials=len(rows),
        wins=_wins(rows),
        timeouts=_timeouts(rows),
        rate=_rate(rows),
        tokens=mean_of([row.tokens for row in rows]),
        cost=mean_of([row.cost for row in rows]),
        duration_ms=mean_of([row.duration_ms for row in rows]),
    )


def mean_cost(rows: Rows) -> float | None:
    """Return the mean cost of a run, None if no cost was recorded."""
    return mean_of([row.cost for row in rows])


def grouped(rows: Rows, key: Callable[[Outcome], Key]) -> dict[Key, list[Outcome]]:
    """Return the outcomes by what `key` says of them, each group in order."""
    groups: dict[Key, list[Outcome]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _wins(rows: Rows) -> int:
    return sum(row.success >= 0.5 for row in rows)


def _timeouts(rows: Rows) -> int:
    return sum(row.timeout for row in rows)


def _rate(rows: Rows) -> float | None:
    return rounded(math.fsum(row.reward for row in rows) / len(rows)) if rows else None


def _retries(rows: Rows) -> float | None:
    """Return the mean number of retries of a run, None if there never was one."""
    known = [row.retries for row in rows if row.retries is not None]
    return rounded(sum(known) / len(known)) if any(known) else None


def _escalations(rows: Rows) -> int | None:
    known = [row.escalated for row in rows if row.escalated is not None]
    return sum(known) if known else None


def _trend(rows: Rows) -> list[TrendDay]:
    days = grouped(rows, lambda row: row.happened // DAY)
    newest = sorted(days)[-TREND_DAYS:]
    return [TrendDay(day=day_of(day * DAY), n=len(days[day]), mean=_rate(days[day]) or 0.0) for day in newest]
