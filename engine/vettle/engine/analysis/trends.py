"""Whether the same mistakes come back less often than before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from vettle.engine.analysis import calendar
from vettle.engine.records.reports import MistakePeriod, MistakeTrend

LEAST_MISTAKES = 30
LEAST_OF_EACH = 5
LEAST_DAYS = 5
"""Mistakes, repeated and new ones, and days with a mistake, below which nothing is said."""

_TWO_SIDED = {
    3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 12: 2.179, 15: 2.131,
    20: 2.086, 30: 2.042, 60: 2.000, 120: 1.980,
}  # fmt: skip
"""The 97.5 % quantiles of Student's t by degrees of freedom."""


def trend(days: Mapping[str, tuple[int, int]]) -> MistakeTrend:
    """Tell the trend of the repeat rate from the mistakes and the repeats of each day (by ISO date).

    Days without an entry had no mistake.
    """
    interval, starts = calendar.periods(days)
    sums: dict[date, tuple[int, int]] = {}
    for name, (count, repeats) in days.items():
        start = calendar.start_of(interval, date.fromisoformat(name))
        before = sums.get(start, (0, 0))
        sums[start] = (before[0] + count, before[1] + repeats)
    rows = [_period(start, *sums.get(start, (0, 0))) for start in starts]
    every = sorted((date.fromisoformat(name).toordinal(), *row) for name, row in days.items() if row[0])
    return _said(MistakeTrend(interval=interval, periods=rows, direction="too_early", said=""), every)


def _period(start: date, count: int, repeats: int) -> MistakePeriod:
    rate = round(repeats / count, 4) if count else None
    return MistakePeriod(start=start, count=count, repeats=repeats, rate=rate)


def _said(found: MistakeTrend, days: list[tuple[int, int, int]]) -> MistakeTrend:
    n, repeats = sum(count for _, count, _ in days), sum(own for _, _, own in days)
    if n < LEAST_MISTAKES or min(repeats, n - repeats) < LEAST_OF_EACH or len(days) < LEAST_DAYS:
        words = (
            f"Too early to tell a trend: mistakes {n}, repeats {repeats}, days {len(days)}. It takes {LEAST_MISTAKES} "
            f"mistakes on {LEAST_DAYS} days, {LEAST_OF_EACH} of them repeats and {LEAST_OF_EACH} new."
        )
        return found.model_copy(update={"said": words})
    slope, error = slope_of(days)
    span = days[-1][0] - days[0][0]
    half = quantile(len(days) - 2) * error
    # A straight line through far days may leave [0, 1], and no share can change by more than 1.
    change, low, high = (min(max(rise * span, -1.0), 1.0) for rise in (slope, slope - half, slope + half))
    limits = f"by {_points(change)} points over {span + 1} days (95 % {_points(low)} to {_points(high)})"
    words, direction = f"No trend can be told: the repeat rate changes {limits}.", "unclear"
    if high < 0:
        words, direction = f"The repeat rate is falling, {limits}.", "falling"
    elif low > 0:
        words, direction = f"The repeat rate is rising, {limits}.", "rising"
    numbers = {"change": round(change, 4), "low": round(low, 4), "high": round(high, 4)}
    return found.model_copy(update={"direction": direction, "said": words, **numbers})


def _points(share: float) -> str:
    return f"{100 * share:+.0f}"


def slope_of(days: list[tuple[int, int, int]]) -> tuple[float, float]:
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
