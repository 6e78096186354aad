"""How far the evidence has come: a bar from nothing to proof."""

from __future__ import annotations

from markupsafe import Markup

from vettle.renderers.report.plots.drawing import Drawing

_WIDTH, _HEIGHT, _EDGE = 280.0, 14.0, 3.0


def bar(share: float, title: str) -> Markup:
    """Draw a track with the `share` in [0, 1] that is done, and a mark where the goal is."""
    drawing = Drawing(_WIDTH, _HEIGHT, title)
    room = _WIDTH - 2 * _EDGE
    drawing.rectangle(_EDGE, 4, room, 6, "track")
    drawing.rectangle(_EDGE, 4, room * min(max(share, 0.0), 1.0), 6, "fill")
    drawing.line(_WIDTH - _EDGE, 0, _WIDTH - _EDGE, _HEIGHT, "goal")
    return drawing.markup()


def share(value: float, most: float, title: str) -> Markup:
    """Draw a plain bar as long as its share of `most`, to stand in a table beside its number."""
    drawing = Drawing(_WIDTH, _HEIGHT, title)
    part = value / most if most > 0 else 0.0
    drawing.rectangle(0, 3, _WIDTH * min(max(part, 0.0), 1.0), 8, "bar")
    return drawing.markup()
