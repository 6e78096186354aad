"""What a weighted score of PromptLooper is here: one utility of several scores, each with its direction and range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vettle.engine.exchange import fitting
from vettle.engine.exchange.facts import RunFact
from vettle.engine.experiments.design import Component, MetricInput

_MOST_COMPONENTS = 20


def metric_of(weights: Mapping[str, Any], runs: Sequence[RunFact]) -> tuple[MetricInput, list[str]]:
    """Return the weighted scores as one utility, or the one score that there is, and what was assumed.

    Without a weight that applies, every scorer counts the same, as it did there.
    """
    values: dict[str, list[float]] = {}
    for one in runs:
        for name, value in one.run.metrics.items():
            values.setdefault(name, []).extend([] if value is None else [value])
    known = {fitting.label(name): fitting.number(weight) or 0.0 for name, weight in weights.items()}
    used = {name: weight for name, weight in known.items() if name in values and weight}
    notes = [
        f"no run was scored by {name!r}, so its weight is left out" for name in known if name not in values
    ]
    if not used:
        used = dict.fromkeys(list(values)[:_MOST_COMPONENTS], 1.0)
        notes += ["no weight applies, so every scorer counts the same"] * (len(used) > 1)
    largest = max((abs(weight) for weight in used.values()), default=1.0)
    components = [_component(name, weight / largest, values[name]) for name, weight in used.items()]
    notes += [
        f"{one.name!r} is scaled by {one.range}, the scores seen" for one in components if one.range != (0, 1)
    ]
    if len(components) > _MOST_COMPONENTS:
        notes.append(f"only the first {_MOST_COMPONENTS} weighted scorers count")
    if len(components) == 1:
        only = components[0]
        return MetricInput(name=only.name, direction=only.direction, range=only.range), notes
    if not components:
        return MetricInput(name="score", direction="higher", range=(0, 1)), notes
    notes.append(
        "a run that lacks one of the weighted scores has no result, where it was judged by the others"
    )
    return MetricInput(components=tuple(components[:_MOST_COMPONENTS]), missing="skip_run"), notes


def _component(name: str, weight: float, values: list[float]) -> Component:
    """Return a scorer's part in the utility; scores outside 0 to 1 get the range that holds those seen."""
    low, high = min([0.0, *values]), max([1.0, *values])
    return Component(
        name=name,
        direction="higher" if weight > 0 else "lower",
        range=(low, high),
        weight=abs(weight),
    )
