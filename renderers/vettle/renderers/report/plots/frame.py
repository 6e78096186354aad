"""What plots over time and over two numbers have in common: the room, the ticks, and labels that keep apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise

from vettle.renderers.report.plots.drawing import Anchor, Drawing
from vettle.renderers.report.scales import Scale
from vettle.renderers.report.text import fitted
from vettle.renderers.report.words import axis_day, ticks

WIDTH = 360.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 10.0, 12.0, 22.0
LABEL_HEIGHT = 15.0
EM, TICK_EM = 12.0, 11.0
"""The sizes of a plot's text; the drawing is about as wide as a telephone, so the text stays this large there."""


def rows(drawing: Drawing, scale: Scale, right: float, percent: bool) -> None:
    """Draw the horizontal grid lines with their numbers, or percentages, at the left."""
    for tick, said in zip(scale.ticks, ticks(scale.ticks, percent=percent), strict=True):
        y = scale(tick)
        drawing.line(LEFT, y, right, y, "grid")
        drawing.text(LEFT - 6, y + 4, fitted(said, (LEFT - 6) / TICK_EM), "tick", anchor="end")


def dates(drawing: Drawing, starts: Sequence[date], place: Callable[[int], float], most: int) -> None:
    """Write at most `most` of the days below the plot, the first and the last among them."""
    last = len(starts) - 1
    span = (starts[-1] - starts[0]).days
    count = min(most, len(starts))
    places = sorted({round(number * last / (count - 1)) for number in range(count)}) if count > 1 else [0]
    for index in places:
        anchor: Anchor = "middle" if 0 < index < last or last == 0 else "start" if index == 0 else "end"
        x = place(index) + {"start": -8.0, "end": 8.0, "middle": 0.0}[anchor]
        drawing.text(x, drawing.height - 5, axis_day(starts[index], span), "tick", anchor=anchor)


def apart(wanted: Sequence[float], top: float, bottom: float, distance: float = LABEL_HEIGHT) -> list[float]:
    """Return places near those `wanted`, at least `distance` from each other and inside, if there is room.

    Pushes down from the top, then up from the bottom, so the order of the places is kept.
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    found = [min(max(wanted[index], top), bottom) for index in order]
    for before, after in pairwise(range(len(found))):
        found[after] = max(found[after], found[before] + distance)
    if found and found[-1] > bottom:
        found[-1] = bottom
    for after, before in pairwise(reversed(range(len(found)))):
        found[before] = min(found[before], found[after] - distance)
    placed = dict(zip(order, found, strict=True))
    return [placed[index] for index in range(len(wanted))]
