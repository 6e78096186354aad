"""Tables of text: names that wrap, a plot beside them, and on a narrow terminal one block for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from vettle.renderers.report.plain.columns import padded, width
from vettle.renderers.report.plain.page import PLAIN, Line, Page, Span

_GAP = "  "
_NAMES = 14
"""A table in which names that need more had fewer columns than this becomes a list."""

LEAST, MOST = 16, 48
"""The columns of a plot beside other things."""


@dataclass(frozen=True)
class Column:
    """Numbers or short words, one for each row."""

    heading: str
    cells: Sequence[str]
    right: bool = True


@dataclass(frozen=True)
class Plot:
    """A drawing for each row, as wide as it is told, and the axis above them."""

    rows: Sequence[Callable[[int], Line]]
    axis: Callable[[int], str]


@dataclass(frozen=True)
class _Widths:
    names: int
    plot: int
    columns: Sequence[int]


def table(
    page: Page,
    heading: str,
    names: Sequence[Sequence[Span]],
    columns: Sequence[Column],
    plot: Plot | None = None,
) -> None:
    """Add a table of names, a plot and columns.

    Where there is no room for it, every row becomes its name, its drawing, and `heading value` for each column.
    """
    columns = [
        Column(page.plain(one.heading), [page.plain(cell) for cell in one.cells], one.right)
        for one in columns
    ]
    widths = _widths(page, heading, names, columns, plot)
    if widths is None:
        _listed(page, names, columns, plot)
        return
    above: Line = [(plot.axis(widths.plot), "soft")] if plot else []
    heads: Line = [(one.heading, "soft") for one in columns]
    _beside(page, widths, page.wrapped([(heading, "soft")], widths.names), above, heads, columns)
    for place, name in enumerate(names):
        drawing = plot.rows[place](widths.plot) if plot else []
        cells: Line = [(one.cells[place], PLAIN) for one in columns]
        _beside(page, widths, page.wrapped(name, widths.names), drawing, cells, columns)


def _widths(
    page: Page,
    heading: str,
    names: Sequence[Sequence[Span]],
    columns: Sequence[Column],
    plot: Plot | None,
) -> _Widths | None:
    """Return how wide everything is, the names as wide as they want if that fits, or None where nothing would be."""
    wanted = max([width(heading), *(width(page.plain("".join(text for text, _ in name))) for name in names)])
    each = [max(map(width, (one.heading, *one.cells))) for one in columns]
    room = page.width - sum(len(_GAP) + one for one in each)
    if plot is None:
        return _Widths(min(wanted, room), 0, each) if room >= min(wanted, _NAMES) else None
    room -= len(_GAP)
    if room < min(wanted, _NAMES) + LEAST:
        return None
    # Names get what the smallest plot leaves, and then the plot what the names leave.
    first = min(wanted, max(room - MOST, room // 2, _NAMES), room - LEAST)
    return _Widths(first, min(room - first, MOST), each)


def _beside(
    page: Page,
    widths: _Widths,
    names: Sequence[Line],
    drawing: Line,
    cells: Sequence[Span],
    columns: Sequence[Column],
) -> None:
    """Add one row: the first line of its name with everything beside it, then the rest of the name."""
    beside: Line = []
    if widths.plot:
        spaces = widths.plot - sum(width(text) for text, _ in drawing)
        beside += [(_GAP, PLAIN), *drawing, (" " * spaces, PLAIN)]
    for (text, style), room, column in zip(cells, widths.columns, columns, strict=True):
        beside += [(_GAP, PLAIN), (padded(text, room, right=column.right), style)]
    nothing: Line = []
    for line, rest in zip_longest(names, [beside], fillvalue=nothing):
        spaces = widths.names - sum(width(text) for text, _ in line)
        page.draw([*line, (" " * spaces, PLAIN), *rest])


def _listed(
    page: Page, names: Sequence[Sequence[Span]], columns: Sequence[Column], plot: Plot | None
) -> None:
    room = min(page.width - len(_GAP), MOST)
    if plot:
        page.draw([(_GAP + plot.axis(room), "soft")])
    for place, name in enumerate(names):
        page.say(*((text, style or "strong") for text, style in name))
        if plot:
            page.draw([(_GAP, PLAIN), *plot.rows[place](room)])
        facts = [f"{one.heading} {one.cells[place]}".strip() for one in columns if one.cells[place]]
        page.say(page.joined(facts), first=_GAP)
