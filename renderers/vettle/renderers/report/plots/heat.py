"""A heat map as a table: every cell says its number, and its shade only repeats it.

A table and no drawing, because a screen reader walks through its cells, and a narrow screen scrolls it.
"""

from __future__ import annotations

from collections.abc import Sequence

from vettle.renderers.report.scales import finite

SHADES = 7


def shades(rows: Sequence[Sequence[float | None]]) -> list[list[int | None]]:
    """Return the shade of every cell, from 0 for the lowest number to 6 for the highest; null where none is."""
    every = finite(value for row in rows for value in row)
    low, high = min(every, default=0.0), max(every, default=0.0)
    return [[_shade(value, low, high) for value in row] for row in rows]


def _shade(value: float | None, low: float, high: float) -> int | None:
    numbers = finite((value,))
    if not numbers:
        return None
    if high <= low:
        return SHADES // 2
    return min(int((numbers[0] - low) / (high - low) * SHADES), SHADES - 1)
