"""Can the effect that a proposal expects be found at all, by what past runs of the same metric spread?"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import get_args

from vettle.engine.experiments import planning
from vettle.engine.experiments.design import Design, MetricInput
from vettle.engine.experiments.evidence import score_of
from vettle.engine.judging.planning import blocks_needed, minimum_detectable_effect
from vettle.engine.records import ExperimentState
from vettle.engine.records.proposals import ProposalFlag
from vettle.engine.store import Transaction, experiments, runs

LEAST_VALUES = 10
"""Results that have to be there before their spread says anything."""

_LOOKED_AT = 5
_ENOUGH_VALUES = 1_000
"""Results after which no older experiment is read: the spread is known to a few percent by then."""


@dataclass(frozen=True, slots=True)
class Screening:
    """Runs per variant until the effect is found (0 if nobody can say), what to know, and why to refuse, or ""."""

    runs: int
    flags: tuple[ProposalFlag, ...]
    refusal: str = ""


def screen(design: Design, expected: float, deviation: float | None) -> Screening:
    """Screen a design whose best variant is expected to be better by `expected`, in the metric's unit.

    `deviation` is that of past results (`past_deviation`). Without an expectation the declared minimum effect
    is looked for. Refused are an expectation below the declared minimum, and an effect that takes more runs
    than anybody waits for (`planning.MANY_RUNS`) at the spread of past results of the same metric; more than
    half of that is slow.
    """
    metric = design.metric
    flags: list[ProposalFlag] = [] if expected else ["no_expected_effect"]
    if 0 < expected < metric.minimum_effect:
        refusal = (
            f"the expected effect {expected:g} is below the minimum effect {metric.minimum_effect:g} that it "
            "declares to be worth finding"
        )
        return Screening(0, tuple(flags), refusal)
    effect = (expected or metric.minimum_effect) / _unit(metric)
    if not effect or deviation is None:
        flags.append("detectability_unknown")
        return Screening(planning.before(design).runs, tuple(flags))
    variants = len(design.variants)
    needed = blocks_needed(effect, 2 * deviation**2, variants).mean
    if needed > planning.MANY_RUNS:
        least = minimum_detectable_effect(planning.MANY_RUNS, 2 * deviation**2, variants) * _unit(metric)
        refusal = (
            f"an effect of {effect * _unit(metric):g} cannot be found: past results of {metric.name!r} spread so much that "
            f"{planning.MANY_RUNS:,} runs per variant find {least:.2g} at the least"
        )
        return Screening(math.ceil(needed), tuple(flags), refusal)
    if needed > planning.MANY_RUNS / 2:
        flags.append("slow")
    return Screening(math.ceil(needed), tuple(flags))


def _unit(metric: MetricInput) -> float:
    """Return how many of the metric's units make one utility: its range, where it has one."""
    return metric.range[1] - metric.range[0] if metric.range else 1.0


def past_deviation(transaction: Transaction, metric: MetricInput) -> float | None:
    """Return the standard deviation within variants of the same metric's past results.

    None below LEAST_VALUES, and where all results are equal, which says nothing about those to come. In
    utilities where the metric has a range, else in its own unit. The newest experiments that measured it
    are pooled.
    """
    squares, degrees = 0.0, 0
    columns: list[list[float]] = []
    for found in _measuring(transaction, metric)[:_LOOKED_AT]:
        columns += _columns(transaction, found)
        if sum(map(len, columns)) >= _ENOUGH_VALUES:
            break
    for column in columns:
        mean = math.fsum(column) / len(column)
        squares += math.fsum((value - mean) ** 2 for value in column)
        degrees += len(column) - 1
    enough = sum(map(len, columns)) >= LEAST_VALUES
    return math.sqrt(squares / degrees) if enough and squares else None


def _columns(transaction: Transaction, found: experiments.Experiment) -> list[list[float]]:
    """Return an experiment's results, those of each variant together."""
    design = Design.model_validate(found.design)
    columns: dict[str, list[float]] = defaultdict(list)
    for run in runs.since(transaction, found.id, found.epoch):
        value = score_of(design, run)[0]
        if value is not None:
            columns[run.variant].append(value)
    return list(columns.values())


def _measuring(transaction: Transaction, metric: MetricInput) -> list[experiments.Experiment]:
    """Return the experiments that this same metric alone decides, the newest first."""
    wanted = _measure(metric.model_dump(mode="json"))
    every = experiments.in_states(transaction, get_args(ExperimentState))
    return [one for one in reversed(every) if _measure(one.design["metric"]) == wanted]


def _measure(metric: dict[str, object]) -> tuple[object, ...]:
    names = ("name", "direction", "kind", "range", "components")
    return tuple(str(metric.get(name, "")) for name in names)
