"""A sparkline: how a number went, as small as a word."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from vettle.renderers.report.plots.drawing import Drawing
from vettle.renderers.report.plots.lines import segments
from vettle.renderers.report.scales import finite, linear

_WIDTH, _HEIGHT, _EDGE = 120.0, 28.0, 4.0


def sparkline(values: Sequence[float | None], title: str) -> Markup:
    """Draw a line with gaps where nothing is known, and a dot at the latest number; nothing for fewer than two."""
    if len(finite(values)) < 2:
        return Markup("")
    drawing = Drawing(_WIDTH, _HEIGHT, title)
    across = (_WIDTH - 2 * _EDGE) / (len(values) - 1)
    up = linear(values, _HEIGHT - _EDGE, _EDGE)
    latest = (0.0, 0.0)
    for segment in segments(values):
        points = [(_EDGE + across * place, up(value)) for place, value in segment]
        if len(points) > 1:
            drawing.polyline(points, "line", "line-1")
        latest = points[-1]
    drawing.circle(*latest, 3, "dot", "dot-1")
    return drawing.markup()
