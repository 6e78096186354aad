"""Days and weeks in UTC, the empty ones included."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Literal

MOST_DAYS = 31
"""Days that are told one by one; a longer time is told by weeks."""

MOST_WEEKS = 53

Interval = Literal["day", "week"]


def periods(days: Collection[str]) -> tuple[Interval, list[date]]:
    """Return the days, or weeks if they are many, from the first to the last of these ISO dates.

    At most 31 days or the last 53 weeks, which begin on Monday; no day gives none.
    """
    known = sorted(map(date.fromisoformat, days))
    if not known or (known[-1] - known[0]).days < MOST_DAYS:
        return "day", last_days(days)
    first, last = known[0], known[-1]
    newest = start_of("week", last)
    weeks = min((newest - start_of("week", first)).days // 7 + 1, MOST_WEEKS)
    return "week", [newest - timedelta(weeks=number) for number in reversed(range(weeks))]


def last_days(days: Collection[str]) -> list[date]:
    """Return the days from the first to the last of these ISO dates, at most the last 31."""
    known = sorted(map(date.fromisoformat, days))
    if not known:
        return []
    length = min((known[-1] - known[0]).days + 1, MOST_DAYS)
    return [known[-1] - timedelta(number) for number in reversed(range(length))]


def start_of(interval: Interval, day: date) -> date:
    """Return the day itself, or the Monday of its week."""
    return day if interval == "day" else day - timedelta(day.weekday())
