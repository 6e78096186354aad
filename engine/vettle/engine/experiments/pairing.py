"""What the runs of two variants have in common beyond blocks: items, strata, or a covariate."""

from __future__ import annotations

from collections import defaultdict

from vettle.engine.experiments.evidence import Evidence, Scored
from vettle.engine.judging.estimates import (
    Estimate,
    covariate_adjusted,
    paired,
    paired_proportion,
    stratified,
)


def estimate(evidence: Evidence, a: str, b: str, alpha: float, *, binary: bool) -> Estimate | None:
    """Compare two variants by what every run of both says of itself: its item, its stratum, or its covariate.

    The first of the three that all have is used; None if there is none, or too little of it.
    """
    runs = [one for one in evidence.scored if one.utility is not None and one.variant in (a, b)]
    columns = [[one for one in runs if one.variant == name] for name in (a, b)]
    if not all(columns):
        return None
    if all(_item(one) for one in runs):
        return _paired(runs, a, b, alpha, binary=binary)
    if all(_stratum(one) for one in runs):
        return _stratified(runs, a, b, alpha)
    if all(_covariate(one) is not None for one in runs):
        values = [[one.utility or 0.0 for one in column] for column in columns]
        known = [[_covariate(one) or 0.0 for one in column] for column in columns]
        return covariate_adjusted(values[0], known[0], values[1], known[1], alpha)
    return None


def _paired(runs: list[Scored], a: str, b: str, alpha: float, *, binary: bool) -> Estimate | None:
    items: dict[str, dict[str, list[float]]] = defaultdict(lambda: {a: [], b: []})
    for one in runs:
        items[_item(one)][one.variant].append(one.utility or 0.0)
    complete = [item for item in items.values() if item[a] and item[b]]
    if not complete:
        return None
    if binary and all(len(item[a]) == len(item[b]) == 1 for item in complete):
        return paired_proportion(
            [item[a][0] == 1 for item in complete], [item[b][0] == 1 for item in complete], alpha
        )
    x, y = ([sum(item[name]) / len(item[name]) for item in complete] for name in (a, b))
    return paired(x, y, alpha)


def _stratified(runs: list[Scored], a: str, b: str, alpha: float) -> Estimate | None:
    strata: dict[str, dict[str, list[float]]] = defaultdict(lambda: {a: [], b: []})
    for one in runs:
        strata[_stratum(one)][one.variant].append(one.utility or 0.0)
    if not any(min(len(stratum[a]), len(stratum[b])) >= 2 for stratum in strata.values()):
        return None
    return stratified({name: (stratum[a], stratum[b]) for name, stratum in strata.items()}, alpha)


def _item(one: Scored) -> str:
    return one.key[1] or str(one.run.data.get("pair_id") or "")


def _stratum(one: Scored) -> str:
    return one.key[0] or str(one.run.data.get("stratum") or "")


def _covariate(one: Scored) -> float | None:
    value = one.run.data.get("covariate")
    return None if value is None else float(value)
