"""What an experiment's runs add up to by variant, dimension and time, without any judgement."""

from __future__ import annotations

import math
import statistics as standard
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vettle.engine import paging
from vettle.engine.analysis.question import Question
from vettle.engine.experiments import breakdowns
from vettle.engine.experiments.another_metric import ask
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.lifecycle import require
from vettle.engine.experiments.measures import Measure, Value, mean_of, rounded
from vettle.engine.project import Project
from vettle.engine.records import MarginalMean, TimeSeries
from vettle.engine.records.analysis import ExperimentStatistics, VariantStatistics
from vettle.engine.store.experiments import Experiment

_CHARACTERS = 5_000
"""What each list of an answer may take."""


@dataclass(frozen=True, slots=True)
class Column:
    """What the runs of one variant add up to, before anything is rounded."""

    n: int = 0
    missing: int = 0
    mean: float | None = None
    deviation: float | None = None
    least: float | None = None
    greatest: float | None = None
    duration_ms: float | None = None
    tokens: float | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Summed:
    """What an engine has counted: columns and statuses by the variant's name, and what was asked by."""

    runs: int
    columns: Mapping[str, Column]
    statuses: Mapping[str, Mapping[str, int]]
    marginals: Sequence[MarginalMean]
    series: TimeSeries | None
    notes: Sequence[str]


def statistics(project: Project, question: Question) -> ExperimentStatistics:
    """Return the numbers of an experiment's runs since it began to count.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: The metric or a dimension was never recorded, with those that were.
    """
    with project.read() as transaction:
        found = require(transaction, question.experiment)
        asked = ask(transaction, found, question.metric)
    design, measure, notes = asked.verdict.design, asked.measure, list[str]()
    names = shown(design, question.limit)
    mine: dict[str, list[Value]] = {name: [] for name in design.names.values()}
    for one in measure.values:
        mine[one.scored.variant].append(one)
    summed = Summed(
        runs=len(measure.values),
        columns={name: _column(own) for name, own in mine.items()},
        statuses={name: Counter(one.scored.run.status for one in own) for name, own in mine.items()},
        marginals=breakdowns.marginals(design, measure, question.by) if question.by else [],
        series=breakdowns.series_of(measure, question.interval, names, notes) if question.interval else None,
        notes=notes,
    )
    return answer(found, design, measure, summed, question)


def shown(design: Design, limit: int) -> list[str]:
    """Return the names of the variants that an answer has rows for, in the design's order."""
    return list(design.names.values())[:limit]


def _column(own: Sequence[Value]) -> Column:
    values = [one.value for one in own if one.value is not None]
    done = [one.scored.run.data for one in own if one.scored.run.status == "completed"]
    return Column(
        n=len(values),
        missing=len(own) - len(values),
        mean=math.fsum(values) / len(values) if values else None,
        deviation=standard.stdev(values) if len(values) > 1 else None,
        least=min(values, default=None),
        greatest=max(values, default=None),
        duration_ms=mean_of([float(data.get("duration_ms", 0)) for data in done]),
        tokens=mean_of([float(data.get("tokens_in", 0)) + float(data.get("tokens_out", 0)) for data in done]),
        cost=mean_of([float(data.get("cost", 0)) for data in done]),
    )


def answer(
    found: Experiment, design: Design, measure: Measure, summed: Summed, question: Question
) -> ExperimentStatistics:
    """Return what was counted as a record, with as many rows as fit."""
    notes = list(summed.notes)
    rows = [_row(name, summed) for name in shown(design, question.limit)]
    variants = paging.fit(rows, _CHARACTERS) if rows else []
    marginals = paging.fit(summed.marginals[: question.limit], _CHARACTERS) if summed.marginals else []
    series = summed.series
    if series is not None and series.variants:
        series = series.model_copy(update={"variants": paging.fit(series.variants, _CHARACTERS)})
    for name, kept, total in (
        ("variants", len(variants), len(design.names)),
        ("marginals", len(marginals), len(summed.marginals)),
        (
            "series",
            len(series.variants) if series else 0,
            len(design.names) if series and series.starts else 0,
        ),
    ):
        if kept < total:
            notes.append(f"{name}: {kept} of {total:,} rows are shown; narrow the question, or raise limit.")
    return ExperimentStatistics(
        experiment_id=found.id,
        name=found.name,
        state=found.state,
        metric=measure.name,
        metric_unit=measure.unit,
        exploratory=measure.exploratory,
        runs=summed.runs,
        variants=variants,
        by=list(question.by),
        marginals=marginals,
        series=series,
        notes=notes,
    )


def _row(name: str, summed: Summed) -> VariantStatistics:
    column = summed.columns.get(name, Column())

    def six(value: float | None) -> float | None:
        return None if value is None else rounded(value)

    return VariantStatistics(
        variant=name,
        n=column.n,
        missing=column.missing,
        statuses=dict(sorted(summed.statuses.get(name, {}).items())),  # type: ignore[arg-type]
        mean=six(column.mean),
        deviation=six(column.deviation),
        least=six(column.least),
        greatest=six(column.greatest),
        duration_ms=six(column.duration_ms),
        tokens=six(column.tokens),
        cost=six(column.cost),
    )
