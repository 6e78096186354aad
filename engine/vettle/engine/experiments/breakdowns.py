"""How results spread: over the values of dimensions, and over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from vettle.engine.clock import DAY, HOUR, SECOND, moment
from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import Scored
from vettle.engine.experiments.measures import Measure, Value, rounded
from vettle.engine.identifiers import canonical_json
from vettle.engine.records import (
    MarginalMean,
    SeriesInterval,
    TimeSeries,
    VariantSeries,
)
from vettle.engine.store.runs import Run
from vettle.engine.wording import shortened

Level = tuple[int, float, str]
"""A value of a dimension, as it is sorted: numbers, texts, none."""

Levels = tuple[Level, ...]
"""A combination of values, one for each dimension that is asked by."""

NONE = "(none)"
"""What stands for a dimension that a run does not have."""

MOST_POINTS = 400
"""Points of a time series, over all variants."""

_VALUE = 300
_PERIODS: dict[SeriesInterval, int] = {"hour": HOUR, "day": DAY, "week": 7 * DAY}
_MONDAY = 4 * DAY


def marginals(design: Design, measure: Measure, by: Sequence[str]) -> list[MarginalMean]:
    """Return the mean of every value or combination that occurs: numbers first, then texts, then none."""
    recorded = {str(name) for one in measure.values for name in one.scored.run.data.get("dimensions") or {}}
    require_dimensions(design, recorded, by)
    configs = {one.name: one.config for one in design.variants}
    groups: dict[Levels, list[Value]] = {}
    for one in measure.values:
        groups.setdefault(levels_of(configs, one.scored, by), []).append(one)
    return [_marginal(by, key, groups[key]) for key in sorted(groups)]


def levels_of(configs: Mapping[str, Mapping[str, Any]], one: Scored, by: Sequence[str]) -> Levels:
    """Return a run's values of these dimensions; `configs` are those of the variants, by name."""
    return tuple(_key(_level(configs, one, name)) for name in by)


def require_dimensions(design: Design, recorded: AbstractSet[str], by: Sequence[str]) -> None:
    """Raise InvalidArgument for a dimension that is neither recorded nor one of the design, naming those that are."""
    configured = {name for one in design.variants for name in one.config}
    known = [*sorted(recorded | configured), "context", "stratum", "variant"]
    for name in by:
        if name not in known:
            names = ", ".join(repr(one[:80]) for one in known[-20:])
            raise InvalidArgument("by", f"no run has a dimension {name[:80]!r}", f"Recorded: {names}")


def _level(configs: Mapping[str, Mapping[str, Any]], one: Scored, name: str) -> Any:
    """Return the run's value of a dimension, None if it has none."""
    data = one.run.data
    if name == "context":
        return one.context or data.get("context") or None
    if name == "stratum":
        return one.key[0] or data.get("stratum") or None
    recorded = data.get("dimensions") or {}
    if name in recorded:
        return recorded[name]
    if name == "variant":
        return one.variant
    return configs[one.variant].get(name)


def _key(level: Any) -> Level:
    """Return a key that sorts, and that keeps 1 apart from "1" and both from a missing value."""
    if level is None:
        return 2, 0.0, ""
    if isinstance(level, (int, float)) and not isinstance(level, bool):
        return 0, float(level) + 0.0, ""  # -0.0 is 0.0
    return 1, 0.0, level if isinstance(level, str) else canonical_json(level)


def _marginal(by: Sequence[str], key: Levels, group: Sequence[Value]) -> MarginalMean:
    values = [one.value for one in group if one.value is not None]
    mean = math.fsum(values) / len(values) if values else None
    return marginal(by, key, n=len(values), missing=len(group) - len(values), mean=mean)


def marginal(by: Sequence[str], key: Levels, *, n: int, missing: int, mean: float | None) -> MarginalMean:
    """Return one value, or combination of values, with what its runs have shown."""
    return MarginalMean(
        values=[
            NONE if kind == 2 else number if kind == 0 else shortened(text, _VALUE)
            for kind, number, text in key
        ],
        absent=[name for name, (kind, _, _) in zip(by, key, strict=True) if kind == 2],
        n=n,
        missing=missing,
        mean=None if mean is None else rounded(mean),
    )


def series_of(
    measure: Measure, interval: SeriesInterval, variants: Sequence[str], notes: list[str]
) -> TimeSeries:
    """Count and average by period, from the first to the last one with a run, the empty ones included."""
    length, offset = period_of(interval)
    columns: dict[tuple[int, str], list[float]] = {}
    for one in measure.values:
        if one.value is not None:
            period = (time_of(one.scored.run) - offset) // length
            columns.setdefault((period, one.scored.variant), []).append(one.value)
    cells = {key: (len(column), math.fsum(column) / len(column)) for key, column in columns.items()}
    return series(cells, interval, variants, notes)


def period_of(interval: SeriesInterval) -> tuple[int, int]:
    """Return how long a period is and how long after 1970 began the one with number 0, in microseconds."""
    return _PERIODS[interval], _MONDAY if interval == "week" else 0


def series(
    cells: Mapping[tuple[int, str], tuple[int, float]],
    interval: SeriesInterval,
    variants: Sequence[str],
    notes: list[str],
) -> TimeSeries:
    """Return a time series from the count and the mean of each period and variant; empty ones need not be there."""
    length, offset = period_of(interval)
    if not cells:
        notes.append("No run has a result yet, so there is no time series.")
        return TimeSeries(interval=interval, starts=[], variants=[])
    first, last = min(period for period, _ in cells), max(period for period, _ in cells)
    most = max(MOST_POINTS // max(len(variants), 1), 1)
    if last - first + 1 > most:
        notes.append(
            f"The time series shows the last {most:,} of {last - first + 1:,} {interval}s ({MOST_POINTS} points in all)."
        )
    periods = range(max(first, last - most + 1), last + 1)
    return TimeSeries(
        interval=interval,
        starts=[moment(period * length + offset) for period in periods],
        variants=[_over_time(name, [cells.get((period, name)) for period in periods]) for name in variants],
    )


def _over_time(variant: str, cells: Sequence[tuple[int, float] | None]) -> VariantSeries:
    return VariantSeries(
        variant=variant,
        n=[cell[0] if cell else 0 for cell in cells],
        mean=[rounded(cell[1]) if cell else None for cell in cells],
    )


def time_of(run: Run) -> int:
    """Return when a run was produced, or recorded if that was not said, in microseconds."""
    produced = str(run.data.get("produced_at") or "")
    return round(datetime.fromisoformat(produced).timestamp() * SECOND) if produced else run.ts
