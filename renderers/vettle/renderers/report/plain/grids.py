"""Grids as heat maps in text: every cell says its number, and its shade only repeats it."""

from __future__ import annotations

from collections.abc import Sequence

from vettle.engine.records.overview import Grid
from vettle.renderers.report import figures, words
from vettle.renderers.report.figures import Heat, HeatCell
from vettle.renderers.report.plain.columns import width
from vettle.renderers.report.plain.page import PLAIN, Line, Page, Span, Style

_SHADES: tuple[Style, ...] = ("heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "heat-6")
_CELL = 10
_GAP = "  "


def heat_map(page: Page, grid: Grid) -> None:
    """Add a grid, cut to as many rows and columns as a page has room for, in parts where they do not fit beside."""
    heat = figures.heat_map(grid, page.limits)
    if not heat.rows or not heat.columns:
        return
    page.gap()
    page.say((f"{grid.row} (rows) by {grid.column} (columns), mean and runs", "soft"))
    names = [words.value(name) for name, _ in heat.rows]
    first = min(max(width(page.plain(name)) for name in names), page.width // 3)
    cell = max([_CELL, *(width(_number(page, one)) + 2 for _, row in heat.rows for one in row)])
    cell = min(cell, page.width - first - len(_GAP))
    beside = max((page.width - first) // (cell + len(_GAP)), 1)
    for start in range(0, len(heat.columns), beside):
        _part(page, heat, names, first, cell, slice(start, start + beside))
    page.left_out(heat.more, "value")


def _part(page: Page, heat: Heat, names: Sequence[str], first: int, cell: int, columns: slice) -> None:
    headings = [page.wrapped([(words.value(name), "soft")], cell) for name in heat.columns[columns]]
    depth = max(map(len, headings))
    for line in range(depth):
        texts = [heading[line] if line < len(heading) else [] for heading in headings]
        page.draw([(" " * first, PLAIN), *(span for text in texts for span in _centred(text, cell))])
    for name, (_, cells) in zip(names, heat.rows, strict=True):
        _row(page, page.wrapped([(name, PLAIN)], first), first, cells[columns], cell)


def _row(page: Page, name: Sequence[Line], first: int, cells: Sequence[HeatCell], room: int) -> None:
    """Add the means of a row, and below them how many runs made each."""
    means = [span for one in cells for span in _centred([_shaded(page, one, room)], room)]
    runs = [page.plain(words.counted(one.cell.n, "run")) for one in cells]
    fits = max(map(width, runs), default=0) <= room
    counts = [
        span
        for one, said in zip(cells, runs, strict=True)
        for span in _centred([(said if fits else words.count(one.cell.n)[:room], "soft")], room)
    ]
    beside: list[Line] = [means, counts]
    for place in range(max(len(name), len(beside))):
        label = name[place] if place < len(name) else []
        spaces = " " * (first - sum(width(text) for text, _ in label))
        page.draw([*label, (spaces, PLAIN), *(beside[place] if place < len(beside) else [])])


def _number(page: Page, one: HeatCell) -> str:
    return page.plain(words.short(one.cell.mean))


def _shaded(page: Page, one: HeatCell, room: int) -> Span:
    """Return the number of a cell between characters of its shade."""
    number = _number(page, one)[:room]
    if one.shade is None:
        return number, "soft"
    inner = f" {number} " if width(number) + 4 <= room else number
    left = (room - width(inner)) // 2
    shade = page.glyphs.shades[one.shade]
    return shade * left + inner + shade * (room - width(inner) - left), _SHADES[one.shade]


def _centred(text: Line, room: int) -> Line:
    spaces = room - sum(width(part) for part, _ in text)
    left = spaces // 2
    return [(_GAP + " " * left, PLAIN), *text, (" " * (spaces - left), PLAIN)]
