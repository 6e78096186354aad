"""Scales: from numbers to places in a plot, with round ticks, logarithmic where a range asks for it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_WIDE = 30.0
"""The ratio of the largest to the smallest number from which a scale of positive ones is logarithmic."""

_SMALLEST = 1e-9
"""The smallest difference of two numbers that a scale shows."""


@dataclass(frozen=True)
class Scale:
    """A mapping of [low, high] onto [start, end], which may run backwards as the y axis of a drawing does."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a number; what lies beyond an end is put on it."""
        low, high = self._measure(self.low), self._measure(self.high)
        share = (self._measure(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def _measure(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value


def finite(values: Iterable[float | None]) -> list[float]:
    """Return the numbers that can be drawn."""
    return [value for value in values if value is not None and math.isfinite(value) and abs(value) < 1e15]


def linear(
    values: Iterable[float | None], start: float, end: float, ticks: int = 4, *, whole: bool = False
) -> Scale:
    """Return a scale which holds all of `values`; with `whole` no tick lies between numbers.

    Its ends are round, but for a billionth of a step by which a number may lie beyond a tick.
    """
    found = finite(values) or [0.0, 1.0]
    low, high = min(found), max(found)
    if high - low <= max(abs(high) * 1e-9, _SMALLEST):
        margin = abs(high) * 0.1 if abs(high) > _SMALLEST else 0.5
        low, high = low - margin, high + margin
    step = nice_step((high - low) / max(ticks - 1, 1))
    if whole:
        step = max(step, 1.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = tuple(round(number * step, 12) + 0.0 for number in range(first, last + 1))
    return Scale(min(marks[0], low), max(marks[-1], high), start, end, marks)


def nice_step(step: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not less than `step` (Heckbert 1990, "Nice numbers for graph labels")."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(nice for nice in (1, 2, 5, 10) if nice * power >= step * (1 - 1e-9))


def logarithmic(values: Iterable[float | None], start: float, end: float) -> Scale:
    """Return a scale over powers of ten, whose ends are 1, 2 or 5 times one; the numbers are positive."""
    found = finite(values)
    low, high = _round_below(min(found)), _round_above(max(found))
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [factor * 10.0**exponent for exponent in exponents for factor in (1, 2, 5)]
    inside = [mark for mark in marks if low * 0.999 <= mark <= high * 1.001]
    if len(inside) > 4:
        inside = [mark for mark in inside if math.isclose(math.log10(mark) % 1.0, 0, abs_tol=1e-6)] or inside
    return Scale(low, high, start, end, tuple(inside[:: math.ceil(len(inside) / 4)]), logarithmic=True)


def _round_below(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return power * max(factor for factor in (1, 2, 5) if factor * power <= value * (1 + 1e-9))


def _round_above(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return power * min(factor for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-9))


def fitting(values: Iterable[float | None], start: float, end: float) -> Scale:
    """Return a logarithmic scale for positive numbers over a wide range, else a linear one from zero."""
    found = finite(values)
    if found and min(found) > _SMALLEST and max(found) / min(found) >= _WIDE:
        return logarithmic(found, start, end)
    return linear([0.0, *found], start, end)
