"""Intervals around zero or beside each other: the rows of a forest plot, which share one scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from vettle.renderers.report.plots.drawing import Anchor, Drawing, Style
from vettle.renderers.report.scales import Scale, finite, linear
from vettle.renderers.report.words import ticks

WIDTH = 280.0
_EDGE = 16.0
_ROW = 16.0
_ARROW = 5.0
_LABEL = 70.0
"""The room that the numbers of both ends need."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits; null and NaN limits are unknown and drawn as open ends."""

    estimate: float | None
    low: float | None
    high: float | None


def scale(intervals: Iterable[Interval], *, zero: bool = True, most: float = float("inf")) -> Scale:
    """Return the scale for all rows: it holds the intervals, and zero if that is what they are compared with.

    Nothing beyond `most` on either side widens it: an interval that goes on is drawn with an arrow.
    """
    values = [
        min(max(value, -most), most)
        for interval in intervals
        for value in finite((interval.estimate, interval.low, interval.high))
    ]
    return linear([*values, *([0.0] if zero else [])], _EDGE, WIDTH - _EDGE)


def axis(of: Scale, title: str, *, zero: bool = True) -> Markup:
    """Draw the ticks of the scale, to stand above a column of rows."""
    drawing = Drawing(WIDTH, 23, title)
    _ticks(drawing, of, 18, zero)
    return drawing.markup()


def row(
    of: Scale,
    belief: Interval,
    proof: Interval | None,
    title: str,
    *,
    zero: bool = True,
    labels: bool = False,
    told: bool = True,
) -> Markup:
    """Draw one row: what is believed as a thick line with a dot, what coin flips say as a whisker below it.

    With `labels` the row has ticks of its own, for a screen on which it stands alone. What is not `told` yet is
    drawn in no colour, on whichever side of zero it lies.
    """
    rows = 1 if proof is None else 2
    bottom = _ROW * rows + 6
    drawing = Drawing(WIDTH, bottom + (16 if labels else 0), title)
    for tick in of.ticks:
        drawing.line(of(tick), 0, of(tick), bottom, "zero" if zero and tick == 0 else "grid")
    _line(drawing, of, belief, _ROW * 0.7, _side(belief) if zero and told else "open")
    if proof is not None:
        _line(drawing, of, proof, _ROW * 1.7, "whisker")
    if labels:
        _ticks(drawing, of, bottom + 12, zero)
    return drawing.markup()


def _side(interval: Interval) -> Style:
    """Say which side of zero an interval lies on; one that holds zero, or is open, is on neither."""
    low, high = finite((interval.low,)), finite((interval.high,))
    if low and low[0] > 0:
        return "helps"
    return "hurts" if high and high[0] < 0 else "open"


def _ticks(drawing: Drawing, of: Scale, y: float, zero: bool) -> None:
    """Write the first and the last tick, and zero where it has room between them."""
    for tick, said in zip(of.ticks, ticks(of.ticks), strict=True):
        first, last = tick == of.ticks[0], tick == of.ticks[-1]
        if not (first or last) and (not zero or tick != 0 or min(of(0.0), WIDTH - of(0.0)) < _LABEL):
            continue
        anchor: Anchor = "start" if first else "end" if last else "middle"
        x = of(tick) + {"start": -_EDGE, "end": _EDGE, "middle": 0.0}[anchor]
        drawing.text(x, y, f"+{said}" if zero and tick > 0 else said, "tick", anchor=anchor)


def _line(drawing: Drawing, of: Scale, interval: Interval, y: float, style: Style) -> None:
    bounds = finite((interval.low, interval.high))
    centre = finite((interval.estimate,))
    if not bounds and not centre:
        return
    low = min(finite((interval.low,)) or [of.low])
    high = max(finite((interval.high,)) or [of.high])
    if bounds:
        drawing.line(of(low), y, of(high), y, style)
    for bound, beyond, direction in ((low, low < of.low, -1), (high, high > of.high, 1)):
        if bounds and (beyond or (bound in (of.low, of.high) and bound not in bounds)):
            tip = of(bound) + direction * _ARROW
            drawing.polygon(((tip, y), (of(bound), y - 4), (of(bound), y + 4)), style, "dot")
        elif bounds and style == "whisker":
            drawing.line(of(bound), y - 4, of(bound), y + 4, style)
    if centre and style == "whisker":
        drawing.diamond(of(centre[0]), y, 3.5, style, "dot")
    elif centre:
        drawing.circle(of(centre[0]), y, 5, style, "dot")
