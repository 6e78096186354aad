"""A drawing: the few shapes that plots are made of, with every number finite and every text escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from markupsafe import Markup, escape

from vettle.renderers.report.text import clean

Style = Literal[
    "grid", "zero", "tick", "label", "helps", "hurts", "open", "track", "fill", "goal", "bar", "part", "line",
    "line-1", "line-2", "line-3", "line-4", "dot", "dot-1", "dot-2", "dot-3", "dot-4", "hollow", "leader",
    "whisker",
]  # fmt: skip
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

_MOST = 200


class Drawing:
    """An SVG under construction; `markup` is inline SVG that a screen reader announces as one picture.

    Colours come from the style sheet of the page: a shape only says what it is.

    Raises:
        ValueError: A coordinate is not finite; a plot leaves such numbers out before it draws.
    """

    def __init__(self, width: float, height: float, title: str, description: str = "") -> None:
        self.width, self.height = width, height
        self._parts = [_element("title", {}, clean(title, _MOST))]
        if description:
            self._parts.append(_element("desc", {}, clean(description, 2 * _MOST)))

    def line(self, x1: float, y1: float, x2: float, y2: float, *styles: Style) -> None:
        """Draw a straight line."""
        self._add("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2}, styles)

    def rectangle(self, x: float, y: float, width: float, height: float, *styles: Style) -> None:
        """Draw a rectangle; a negative width or height is none."""
        box = {"x": x, "y": y, "width": max(width, 0.0), "height": max(height, 0.0)}
        self._add("rect", box, styles)

    def circle(self, x: float, y: float, radius: float, *styles: Style) -> None:
        """Draw a circle around a point."""
        self._add("circle", {"cx": x, "cy": y, "r": radius}, styles)

    def polygon(self, points: Iterable[Point], *styles: Style) -> None:
        """Draw a closed shape."""
        self._add("polygon", {"points": _points(points)}, styles)

    def diamond(self, x: float, y: float, radius: float, *styles: Style) -> None:
        """Draw a square that stands on a corner."""
        corners = ((x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y))
        self.polygon(corners, *styles)

    def polyline(self, points: Iterable[Point], *styles: Style) -> None:
        """Draw a line through points."""
        self._add("polyline", {"points": _points(points)}, styles)

    def text(self, x: float, y: float, said: str, *styles: Style, anchor: Anchor = "start") -> None:
        """Write a short text that stands on the line at `y`."""
        self._parts.append(
            _element("text", {"x": x, "y": y, "class": " ".join(styles), "text-anchor": anchor}, said)
        )

    def markup(self) -> Markup:
        """Return the drawing."""
        # Joined, not formatted: a text with braces or percent signs is a text.
        box = f"0 0 {number(self.width)} {number(self.height)}"
        return _element("svg", {"viewBox": box, "role": "img"}, Markup("").join(self._parts))

    def _add(self, tag: str, attributes: Mapping[str, float | str], styles: Sequence[Style]) -> None:
        self._parts.append(_element(tag, {**attributes, "class": " ".join(styles)}, ""))


def number(value: float) -> str:
    """Return a coordinate with one digit; ValueError unless it is finite."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in a drawing")
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def _element(tag: str, attributes: Mapping[str, float | str], said: str) -> Markup:
    written = [
        Markup(' {}="{}"').format(name, number(value) if isinstance(value, float | int) else value)
        for name, value in attributes.items()
    ]
    return Markup("<{0}{1}>{2}</{0}>").format(tag, Markup("").join(written), escape(said))
