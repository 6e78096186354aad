"""Plots of characters: numbers and a width go in, one line comes out."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.renderers.report.plain.glyphs import Glyphs
from vettle.renderers.report.plain.page import Line, Style
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.scales import Scale, finite
from vettle.renderers.report.words import decimal, signed


def sparkline(
    glyphs: Glyphs, values: Sequence[float | None], low: float | None = None, high: float | None = None
) -> str:
    """Return one character for each number, from `low` to `high` (those of the numbers), and a gap for each unknown."""
    known = finite(values)
    bottom = min(known, default=0.0) if low is None else low
    top = max(known, default=0.0) if high is None else high
    return "".join(_level(glyphs.levels, value, bottom, top) for value in values)


def _level(levels: str, value: float | None, low: float, high: float) -> str:
    numbers = finite((value,))
    if not numbers:
        return " "
    if high <= low:
        return levels[0] if numbers[0] == 0 else levels[len(levels) // 2]
    return levels[min(max(int((numbers[0] - low) / (high - low) * len(levels)), 0), len(levels) - 1)]


def interval(glyphs: Glyphs, scale: Scale, of: Interval, room: int, mark: str, *, zero: bool = True) -> Line:
    """Draw an estimate between its limits; one that goes beyond the scale, or has no limit, ends in an arrow.

    With `zero` a mark shows where zero is, inside of the interval too, and the colour repeats on which side it lies.
    """
    bounds = finite((of.low, of.high))
    centre = finite((of.estimate,))
    cells = [" "] * room
    origin = place(scale, 0.0, room) if zero and scale.low <= 0 <= scale.high else None
    if origin is not None:
        cells[origin] = glyphs.zero
    if bounds:
        low, high = (finite((limit,)) for limit in (of.low, of.high))
        first = place(scale, low[0] if low else scale.low, room)
        last = place(scale, high[0] if high else scale.high, room)
        cells[first : last + 1] = glyphs.line * (last - first + 1)
        if origin is not None and first < origin < last:
            cells[origin] = glyphs.cross
        cells[first] = glyphs.left if low and low[0] >= scale.low else "<"
        cells[last] = glyphs.right if high and high[0] <= scale.high else ">"
    if centre:
        outside = "<" if centre[0] < scale.low else ">" if centre[0] > scale.high else mark
        cells[place(scale, centre[0], room)] = outside
    return [("".join(cells), side(of) if zero else "accent")]


def side(of: Interval) -> Style:
    """Say on which side of zero an interval lies; one that holds zero, or is open, is on neither."""
    low, high = finite((of.low,)), finite((of.high,))
    if low and low[0] > 0:
        return "helps"
    return "hurts" if high and high[0] < 0 else "accent"


def place(scale: Scale, value: float, room: int) -> int:
    """Return the column of a number, from 0 to `room` - 1; what lies beyond an end is put on it."""
    share = (scale(value) - scale.start) / (scale.end - scale.start)
    return min(max(round(share * (room - 1)), 0), room - 1)


def axis(scale: Scale, room: int, *, zero: bool = True) -> str:
    """Return the ends of a scale, and zero where it is, to stand above rows of intervals."""
    digits = 2 if scale.high - scale.low < 1 else 1 if scale.high - scale.low < 10 else 0
    low, high = (
        "0" if end == 0 else signed(end, digits) if zero else decimal(end, digits)
        for end in (scale.low, scale.high)
    )
    if len(low) + len(high) + 1 > room:
        return ""
    cells = list(low + " " * (room - len(low) - len(high)) + high)
    origin = place(scale, 0.0, room)
    around = cells[max(origin - 1, 0) : origin + 2]
    if zero and scale.low < 0 < scale.high and set(around) == {" "}:
        cells[origin] = "0"
    return "".join(cells)


def bar(glyphs: Glyphs, share: float, room: int) -> str:
    """Return a track of which a share in [0, 1] is filled."""
    done = filled(share, room)
    return glyphs.full * done + glyphs.track * (room - done)


def filled(share: float, room: int) -> int:
    """Return how many of so many columns a share in [0, 1] fills: the least that is not nothing fills one."""
    within = min(max(share, 0.0), 1.0)
    # Only what is done fills the track to its end.
    return room if within == 1 else min(max(round(within * room), int(within > 0)), room - 1)
