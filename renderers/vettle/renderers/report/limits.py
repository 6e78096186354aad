"""How much of everything one page shows, so that it stays small whatever the project."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST = 500_000
"""The bytes that a report stays below."""


@dataclass(frozen=True)
class Limits:
    """The most rows of each kind. `text` is the most characters of one text, `name` of one name.

    `cards` counts the rules on trial that are told at length, `plots` the experiments and contexts with plots, `lines` the lines of one plot, `cells` the values of
    one side of a grid, and `periods` the latest days or weeks.
    """

    rules: int
    cards: int
    rows: int
    experiments: int
    variants: int
    periods: int
    cells: int
    plots: int
    lines: int
    text: int
    name: int


STEPS = (
    Limits(
        rules=40,
        cards=8,
        rows=20,
        experiments=12,
        variants=12,
        periods=53,
        cells=8,
        plots=4,
        lines=4,
        text=400,
        name=80,
    ),
    Limits(
        rules=25,
        cards=8,
        rows=12,
        experiments=8,
        variants=8,
        periods=40,
        cells=6,
        plots=3,
        lines=4,
        text=200,
        name=60,
    ),
    Limits(
        rules=10,
        cards=6,
        rows=6,
        experiments=4,
        variants=5,
        periods=26,
        cells=4,
        plots=2,
        lines=3,
        text=100,
        name=40,
    ),
)
"""The page is made with the first of these with which it is small enough, and with the last in any case."""
