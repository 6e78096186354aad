"""Lines over time, with gaps where nothing happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from vettle.renderers.report.plots import frame
from vettle.renderers.report.plots.drawing import Drawing, Style
from vettle.renderers.report.scales import finite, linear
from vettle.renderers.report.text import fitted

_HEIGHT = 190.0
_LABELS = 124.0
_LINES: tuple[tuple[Style, Style], ...] = (
    ("line-1", "dot-1"),
    ("line-2", "dot-2"),
    ("line-3", "dot-3"),
    ("line-4", "dot-4"),
)
MOST = len(_LINES)


@dataclass(frozen=True)
class Line:
    """One line: its name, and a number for every period or null."""

    name: str
    values: Sequence[float | None]


def segments(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Yield the runs of consecutive known numbers, each with its place."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        numbers = finite((value,))
        if numbers:
            run.append((place, numbers[0]))
        elif run:
            yield run
            run = []
    if run:
        yield run


def lines(
    drawn: Sequence[Line],
    starts: Sequence[date],
    title: str,
    description: str,
    *,
    zero: bool = False,
    percent: bool = False,
) -> Markup:
    """Draw at most four lines; several are named at their right end, and differ in dashes as well as colour.

    Empty while no line has two points: one point says nothing over time.
    """
    known = [line for line in drawn[:MOST] if finite(line.values)]
    if max((len(finite(line.values)) for line in known), default=0) < 2:
        return Markup("")
    drawing = Drawing(frame.WIDTH, _HEIGHT, title, description)
    right = frame.WIDTH - (_LABELS if len(known) > 1 else frame.RIGHT)
    every = [value for line in known for value in line.values]
    up = linear([*every, *([0.0] if zero else [])], _HEIGHT - frame.BOTTOM, frame.TOP)
    across = (right - frame.LEFT - 12) / max(len(starts) - 1, 1)

    def place(index: int) -> float:
        return frame.LEFT + 6 + across * index

    frame.rows(drawing, up, right, percent)
    frame.dates(drawing, starts, place, 3 if len(known) > 1 else 4)
    ends = []
    for line, (stroke, dot) in zip(known, _LINES, strict=False):
        latest = (0.0, 0.0)
        for segment in segments(line.values):
            points = [(place(index), up(value)) for index, value in segment]
            drawing.polyline(points, "line", stroke)
            latest = points[-1]
            if len(points) == 1:
                drawing.circle(*latest, 2, "dot", dot)
        drawing.circle(*latest, 3.5, "dot", dot)
        ends.append(latest)
    if len(known) > 1:
        _names(drawing, known, ends, right)
    return drawing.markup()


def _names(
    drawing: Drawing, known: Sequence[Line], ends: Sequence[tuple[float, float]], right: float
) -> None:
    places = frame.apart([y for _, y in ends], frame.TOP, _HEIGHT - frame.BOTTOM)
    for line, (x, y), label, (stroke, _) in zip(known, ends, places, _LINES, strict=False):
        drawing.line(x + 4, y, right + 4, label, "leader")
        drawing.line(right + 4, label, right + 16, label, "line", stroke)
        drawing.text(right + 20, label + 4, fitted(line.name, (_LABELS - 24) / frame.EM), "label")
