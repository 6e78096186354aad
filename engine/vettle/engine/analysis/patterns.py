"""What the better runs have in common more often than the worse ones: hints of what to test."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from pydantic import JsonValue

from vettle.engine.experiments.measures import rounded
from vettle.engine.identifiers import canonical_json
from vettle.engine.records.evidence import Pattern
from vettle.engine.wording import shortened

Level = tuple[str, str | float]
"""A dimension and one value of it, or the half of its values above or below their median."""

LEAST_RUNS = 4
"""Runs that must share a value, and that each half must have."""

LEAST_DIFFERENCE = 0.2
"""How much larger the share of a value has to be among the better runs."""

_MOST_PATTERNS = 10
_MOST_LEVELS = 6
_CHARACTERS = 100


def patterns(traits: Sequence[Mapping[str, JsonValue]], scores: Sequence[float]) -> tuple[list[Pattern], int]:
    """Return the values that runs above the median share more than those below, and how many were looked at.

    Of each run `traits` holds what it was made of and `scores` how good it was, higher is better. Runs at the
    median are in neither half, unless that empties one, as it can where there are two scores only. A number
    with more than six values is cut at its median.
    """
    if not scores or min(scores) == max(scores):
        return [], 0
    middle, worst, best = statistics.median(scores), min(scores), max(scores)
    levels = _levels(traits)
    upper = [own for own, score in zip(levels, scores, strict=True) if score > middle or score == best]
    lower = [own for own, score in zip(levels, scores, strict=True) if score < middle or score == worst]
    if min(len(upper), len(lower)) < LEAST_RUNS:
        return [], 0
    every = Counter(level for own in levels for level in own)
    above = Counter(level for own in upper for level in own)
    below = Counter(level for own in lower for level in own)
    found = [
        _pattern(level, above[level] / len(upper), below[level] / len(lower), n)
        for level, n in every.items()
        if n >= LEAST_RUNS and above[level] / len(upper) - below[level] / len(lower) >= LEAST_DIFFERENCE
    ]
    ordered = sorted(found, key=lambda row: (row.bottom - row.top, -row.n, row.dimension, str(row.value)))
    return ordered[:_MOST_PATTERNS], len(every)


def _pattern(level: Level, top: float, bottom: float, n: int) -> Pattern:
    dimension, value = level
    return Pattern(
        dimension=shortened(dimension, _CHARACTERS),
        value=value if isinstance(value, float) else shortened(value, _CHARACTERS),
        top=rounded(top),
        bottom=rounded(bottom),
        n=n,
    )


def _levels(traits: Sequence[Mapping[str, JsonValue]]) -> list[set[Level]]:
    """Return what every run is made of as values that can be counted."""
    columns: dict[str, set[float]] = {}
    for own in traits:
        for name, value in own.items():
            if _is_number(value):
                columns.setdefault(name, set()).add(float(value))
    cuts = {name: statistics.median(values) for name, values in columns.items() if len(values) > _MOST_LEVELS}
    return [{(name, _level(value, cuts.get(name))) for name, value in own.items()} for own in traits]


def _level(value: JsonValue, cut: float | None) -> str | float:
    if _is_number(value):
        number = float(value)
        if cut is None:
            return number
        return f"at most {cut:.6g}" if number <= cut else f"above {cut:.6g}"
    return value if isinstance(value, str) else canonical_json(value)


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    """Tell whether a value is a number that a float can hold: JSON has whole numbers of any size."""
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    )
