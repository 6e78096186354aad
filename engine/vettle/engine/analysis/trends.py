"""Whether the same mistakes come back less often than before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from vettle.engine.analysis import calendar
from vettle.engine.records.reports import MistakePeriod, MistakeTrend

LEAST_MISTAKES = 30
LEAST_OF_EACH = 5
LEAST_DAYS = 5
"""Mistakes, repeated and new ones, and days with a mistake, below which no trend is told."""

Counts = tuple[int, int]
"""Mistakes of a day, and how many of them were repeats, or were known before the period began."""

Day = tuple[int, int, int]
"""The same with the day before it, as a number."""

_TWO_SIDED = {
    3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 12: 2.179, 15: 2.131,
    20: 2.086, 30: 2.042, 60: 2.000, 120: 1.980,
}  # fmt: skip
"""The 97.5 % quantiles of Student's t by degrees of freedom."""


def trend(days: Mapping[str, Counts], known: Mapping[str, Counts] | None = None) -> MistakeTrend:
    """Tell the trend of the repeat rate from the mistakes and the repeats of each day (by ISO date).

    Days without an entry had no mistake. The first mistake of a kind is never a repeat, so the share of repeats
    grows by itself while there are kinds to meet for the first time: a fall of it can be believed, a rise cannot.
    A rise is claimed only if the share of the mistakes that were `known` before the period began (of the
    mistakes counted there) rises too: that is a fixed set of kinds, which steady work does not make more frequent.
    """
    interval, starts = calendar.periods(days)
    sums: dict[date, Counts] = {}
    for name, (count, repeats) in days.items():
        start = calendar.start_of(interval, date.fromisoformat(name))
        before = sums.get(start, (0, 0))
        sums[start] = (before[0] + count, before[1] + repeats)
    rows = [_period(start, *sums.get(start, (0, 0))) for start in starts]
    found = MistakeTrend(interval=interval, periods=rows, direction="too_early", said="")
    return _told(found, _ordered(days), _ordered(known or {}))


def _ordered(days: Mapping[str, Counts]) -> list[Day]:
    return sorted((date.fromisoformat(name).toordinal(), *row) for name, row in days.items() if row[0])


def _period(start: date, count: int, repeats: int) -> MistakePeriod:
    rate = round(repeats / count, 4) if count else None
    return MistakePeriod(start=start, count=count, repeats=repeats, rate=rate)


def _told(found: MistakeTrend, days: list[Day], known: list[Day]) -> MistakeTrend:
    n, repeats = _sum(days)
    if n < LEAST_MISTAKES or repeats < LEAST_OF_EACH or len(days) < LEAST_DAYS:
        words = (
            f"Too early to tell a trend: mistakes {n}, repeats {repeats}, days {len(days)}. It takes {LEAST_MISTAKES} "
            f"mistakes on {LEAST_DAYS} days, {LEAST_OF_EACH} of them repeats."
        )
        return found.model_copy(update={"said": words})
    if n - repeats < LEAST_OF_EACH:
        many = f"all {n:,}" if n == repeats else f"{repeats:,} of {n:,}"
        words = f"No trend can be told: {many} mistakes had been made by an earlier session."
        return found.model_copy(update={"direction": "unclear", "said": words})
    share = _change(days)
    if share.high < 0:
        return _with(found, share, "falling", f"The repeat rate is falling, {share}.")
    if share.low <= 0:
        return _with(found, share, "unclear", f"No trend can be told: the repeat rate changes {share}.")
    return _grown(found, share, known)


def _grown(found: MistakeTrend, share: Change, known: list[Day]) -> MistakeTrend:
    """Tell a growth that is a rise from one that comes of meeting every kind of mistake for the first time."""
    n, before = _sum(known)
    grew = f"The share of repeats grew {share}"
    if not before:
        words = (
            f"{grew}, as it must at first: the first mistake of a kind repeats none, and none of these was known "
            "before the period."
        )
        return _with(found, share, "unclear", words)
    if min(before, n - before) >= LEAST_OF_EACH and len(known) >= LEAST_DAYS:
        fixed = _change(known)
        if fixed.low > 0:
            words = (
                f"The repeat rate is rising: the share of mistakes known before this period changes {fixed}."
            )
            return _with(found, fixed, "rising", words)
    words = (
        f"{grew}, as it does while mistakes are met for the first time: those known before this period did not "
        "clearly become more frequent."
    )
    return _with(found, share, "unclear", words)


def _with(found: MistakeTrend, share: Change, direction: str, said: str) -> MistakeTrend:
    limits = {name: round(number, 4) for name, number in share._asdict().items() if name != "days"}
    return found.model_copy(update={"direction": direction, "said": said, **limits})


class Change(NamedTuple):
    """How much a share changes over so many days, with limits of 95 % for one look; all in [-1, 1]."""

    change: float
    low: float
    high: float
    days: int

    def __str__(self) -> str:
        """Return it in points of a share, "by +12 points over 30 days (95 % +5 to +19)"."""
        return (
            f"by {_points(self.change)} points over {self.days} days "
            f"(95 % {_points(self.low)} to {_points(self.high)})"
        )


def _change(days: list[Day]) -> Change:
    slope, error = slope_of(days)
    span = days[-1][0] - days[0][0]
    half = quantile(len(days) - 2) * error
    # A straight line through far days may leave [0, 1], and no share can change by more than 1.
    change, low, high = (min(max(rise * span, -1.0), 1.0) for rise in (slope, slope - half, slope + half))
    return Change(change, low, high, span + 1)


def _sum(days: list[Day]) -> Counts:
    return sum(count for _, count, _ in days), sum(own for _, _, own in days)


def _points(share: float) -> str:
    return f"{100 * share:+.0f}"


def slope_of(days: list[Day]) -> tuple[float, float]:
    """Return how much the share of repeats changes per day, and the standard error of that.

    The weighted least-squares slope of the proportions on time, whose square over its variance is the test for
    a linear trend in proportions of Cochran (1954) and Armitage (1955). `days` are (day, mistakes, repeats) on
    three days or more. The variance is multiplied by Pearson's dispersion of the days about the line where
    that is above 1 (McCullagh & Nelder 1989, section 4.5), since the mistakes of one session come together.
    """
    n = sum(count for _, count, _ in days)
    rate = sum(repeats for _, _, repeats in days) / n
    centre = sum(day * count for day, count, _ in days) / n
    squares = sum(count * (day - centre) ** 2 for day, count, _ in days)
    slope = sum((day - centre) * (repeats - count * rate) for day, count, repeats in days) / squares
    spread = sum(
        (repeats - count * (rate + slope * (day - centre))) ** 2 / (count * rate * (1 - rate))
        for day, count, repeats in days
    )
    dispersion = max(spread / (len(days) - 2), 1.0)
    return slope, math.sqrt(dispersion * rate * (1 - rate) / squares)


def quantile(freedom: int) -> float:
    """Return Student's 97.5 % quantile for at least 3 degrees of freedom, that of the next fewer in the table."""
    return _TWO_SIDED[max(known for known in _TWO_SIDED if known <= freedom)]
