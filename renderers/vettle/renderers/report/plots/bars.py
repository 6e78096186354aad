"""Bars over time, each with the part of it that matters most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from vettle.renderers.report.plots import frame
from vettle.renderers.report.plots.drawing import Drawing
from vettle.renderers.report.scales import finite, linear

_HEIGHT = 190.0


def bars(
    whole: Sequence[float],
    part: Sequence[float],
    starts: Sequence[date],
    title: str,
    description: str,
) -> Markup:
    """Draw one bar for each period; the part stands at its foot, filled, and the rest above it is outlined.

    Empty while fewer than two periods have anything.
    """
    if sum(1 for value in finite(whole) if value > 0) < 2:
        return Markup("")
    drawing = Drawing(frame.WIDTH, _HEIGHT, title, description)
    right = frame.WIDTH - frame.RIGHT
    up = linear([0.0, *whole], _HEIGHT - frame.BOTTOM, frame.TOP, whole=True)
    slot = (right - frame.LEFT) / len(whole)
    wide = min(slot * 0.72, 28.0)
    frame.rows(drawing, up, right, percent=False)
    frame.dates(drawing, starts, lambda index: frame.LEFT + slot * (index + 0.5), 4)
    for index, (total, share) in enumerate(zip(whole, part, strict=True)):
        x = frame.LEFT + slot * (index + 0.5) - wide / 2
        for value, style in ((total, "bar"), (share, "part")):
            if finite((value,)) and value > 0:
                drawing.rectangle(
                    x, up(value), wide, up(0.0) - up(value), "bar" if style == "bar" else "part"
                )
    return drawing.markup()
