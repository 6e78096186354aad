"""Points of cost against success: cheap is left, good is up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vettle.renderers.report.plots import frame
from vettle.renderers.report.plots.drawing import Drawing
from vettle.renderers.report.plots.intervals import Interval
from vettle.renderers.report.scales import Scale, finite, fitting, linear
from vettle.renderers.report.text import fitted
from vettle.renderers.report.words import short, ticks

_LABELS = 104.0
_HEIGHT = 240.0
MOST = 8


@dataclass(frozen=True)
class Dot:
    """One point with its vertical interval; a `doubtful` one is hollow and stands on a corner."""

    name: str
    x: float | None
    y: Interval
    doubtful: bool


def scatter(dots: Sequence[Dot], title: str, description: str, x_name: str) -> Markup:
    """Draw at most eight points with both numbers known, named in the right margin; empty if there is none."""
    known = [dot for dot in dots if finite((dot.x,)) and finite((dot.y.estimate,))][:MOST]
    if not known:
        return Markup("")
    drawing = Drawing(frame.WIDTH, _HEIGHT, title, description)
    right, floor = frame.WIDTH - _LABELS, _HEIGHT - frame.BOTTOM - 16
    values = [value for dot in known for value in (dot.y.estimate, dot.y.low, dot.y.high)]
    up = linear(values, floor, frame.TOP)
    across = fitting([dot.x for dot in known], frame.LEFT + 10, right - 10)
    frame.rows(drawing, up, right, percent=True)
    _costs(drawing, across, floor, x_name)
    points = [(across(dot.x or 0.0), up(dot.y.estimate or 0.0)) for dot in known]
    for dot, (x, y) in zip(known, points, strict=True):
        _point(drawing, up, dot, x, y)
    labels = frame.apart([y for _, y in points], frame.TOP, floor)
    for dot, (x, y), label in zip(known, points, labels, strict=True):
        drawing.line(x + 7, y, right + 6, label, "leader")
        drawing.text(right + 9, label + 4, fitted(dot.name, (_LABELS - 11) / frame.EM), "label")
    return drawing.markup()


def _costs(drawing: Drawing, across: Scale, floor: float, name: str) -> None:
    for tick in across.ticks:
        drawing.line(across(tick), frame.TOP, across(tick), floor, "grid")
    labels = [short(tick) for tick in across.ticks] if across.logarithmic else ticks(across.ticks)
    last = len(labels) - 1
    for place in sorted({0, last // 2, last}):
        drawing.text(across(across.ticks[place]), floor + 16, labels[place], "tick", anchor="middle")
    said = f"{name}, log scale" if across.logarithmic else name
    drawing.text((across.start + across.end) / 2, _HEIGHT - 5, said, "tick", anchor="middle")


def _point(drawing: Drawing, up: Scale, dot: Dot, x: float, y: float) -> None:
    bounds = finite((dot.y.low, dot.y.high))
    if len(bounds) == 2:
        drawing.line(x, up(bounds[0]), x, up(bounds[1]), "whisker")
    if dot.doubtful:
        drawing.diamond(x, y, 6, "hollow")
    else:
        drawing.circle(x, y, 5, "dot", "open")
