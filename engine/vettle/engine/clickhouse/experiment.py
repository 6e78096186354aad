"""The numbers of one experiment's runs, however many there are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vettle.engine.analysis.question import Question
from vettle.engine.analysis.statistics import Column, Summed, answer, shown
from vettle.engine.clickhouse.plan import TABLE, Engine, Found, Plan
from vettle.engine.experiments import breakdowns
from vettle.engine.experiments.another_metric import reading_of
from vettle.engine.experiments.breakdowns import Levels
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import Scored, score_of
from vettle.engine.experiments.lifecycle import design_of, require
from vettle.engine.experiments.measures import (
    SUCCESS,
    Measure,
    as_judged,
    as_recorded,
    in_unit,
    raw,
    recorded_of,
    require_recorded,
)
from vettle.engine.project import Project
from vettle.engine.records import MarginalMean
from vettle.engine.records.analysis import ExperimentStatistics
from vettle.engine.store import Transaction
from vettle.engine.store.assignments import NO_BLOCK
from vettle.engine.store.experiments import Experiment
from vettle.engine.store.pages import Placed, runs_of
from vettle.engine.store.runs import Run

_COLUMNS = {
    "variant": "String",
    "status": "String",
    "value": "Nullable(Float64)",
    "period": "Int64",
    "levels": "String",
    "duration_ms": "Float64",
    "tokens": "Float64",
    "cost": "Float64",
}

_MEAN = "sumKahanOrNull(value)/nullIf(count(value), 0)"


def _paid(column: str) -> str:
    """Return the mean of what completed runs say of it; 0 means that it was not measured."""
    there = f"status='completed' AND {column}>0"
    return f"sumKahanIf({column}, {there})/nullIf(countIf({there}), 0)"


_QUESTIONS = {
    "columns": (
        f"SELECT variant, count(value), count()-count(value), {_MEAN},"  # noqa: S608 - constants
        " if(count(value)>1, stddevSampStableOrNull(value), NULL), min(value), max(value),"
        f" {_paid('duration_ms')}, {_paid('tokens')}, {_paid('cost')} FROM {TABLE} GROUP BY variant"
    ),
    "statuses": f"SELECT variant, status, count() FROM {TABLE} GROUP BY variant, status",  # noqa: S608 - constants
    "marginals": f"SELECT levels, count(value), count()-count(value), {_MEAN} FROM {TABLE} GROUP BY levels",  # noqa: S608 - constants
    "series": (
        f"SELECT period, variant, count(value), {_MEAN} FROM {TABLE} WHERE value IS NOT NULL GROUP BY period, variant"  # noqa: S608 - constants
    ),
}


@dataclass(slots=True)
class _Reading:
    """How each run of an experiment becomes a row: `value_of` gives its number in the measure's unit."""

    question: Question
    found: Experiment
    design: Design
    measure: Measure
    value_of: Callable[[Run], float | None]
    dimensions: set[str] = field(default_factory=set)
    runs: int = 0

    def rows(self, transaction: Transaction) -> Iterator[Sequence[Any]]:
        """Yield a row for every run that counts, and remember which dimensions they recorded."""
        configs = {one.name: one.config for one in self.design.variants}
        by, interval = self.question.by, self.question.interval
        length, offset = breakdowns.period_of(interval or "day")
        for placed in runs_of(transaction, self.found.id, self.found.epoch):
            run = placed.run
            self.runs += 1
            self.dimensions.update(run.data.get("dimensions") or ())
            scored = _scored(placed, self.design.names[run.variant])
            tokens = float(run.data.get("tokens_in", 0)) + float(run.data.get("tokens_out", 0))
            yield (
                *(scored.variant, run.status, self.value_of(run)),
                (breakdowns.time_of(run) - offset) // length if interval else 0,
                json.dumps(breakdowns.levels_of(configs, scored, by)),
                *(float(run.data.get("duration_ms", 0)), tokens, float(run.data.get("cost", 0))),
            )


def _scored(placed: Placed, variant: str) -> Scored:
    """Return the run as the judge reads it; whether a block assigned it is of no concern here."""
    run = placed.run
    context, stratum, item, block = placed.assignment or (str(run.data.get("context", "")), "", "", NO_BLOCK)
    return Scored(run, variant, None, False, (stratum, item, block), context)


def statistics(project: Project, engine: Engine, question: Question) -> ExperimentStatistics:
    """Return what `vettle.engine.analysis.statistics.statistics` does, without holding the runs in memory.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: The metric or a dimension was never recorded, with those that were.
    """
    with project.read() as transaction:
        found = require(transaction, question.experiment)
        reading = _reading(transaction, found, question)
        counted = engine.ask(transaction, Plan(_COLUMNS, reading.rows, _QUESTIONS))
    if question.by:
        breakdowns.require_dimensions(reading.design, reading.dimensions, question.by)
    return answer(found, reading.design, reading.measure, _summed(reading, counted), question)


def _reading(transaction: Transaction, found: Experiment, question: Question) -> _Reading:
    """Return the question as `another_metric.ask` understands it: as the verdict counts, or as it was recorded."""
    design, metric = design_of(found), question.metric

    def judged(design: Design, measure: Measure, read: Callable[[Run], Run]) -> _Reading:
        return _Reading(
            question, found, design, measure, lambda run: in_unit(measure, score_of(design, read(run))[0])
        )

    if metric in ("", design.metric.name):
        return judged(design, as_judged(design), lambda run: run)
    # One pass over the runs for what they have recorded, because it decides how they are to be read.
    values: set[float] = set()
    recorded: set[str] = set()
    some = False
    for placed in runs_of(transaction, found.id, found.epoch):
        some = True
        if metric in placed.run.metrics:
            values.add(placed.run.metrics[metric])
        recorded |= recorded_of((placed.run,))
    reading = reading_of(design, metric, values)
    if reading is None:
        require_recorded(recorded, metric)
        return _Reading(question, found, design, as_recorded(design, metric), lambda run: raw(run, metric))
    if some and metric != SUCCESS:
        require_recorded(recorded, metric)
    return judged(reading[0], replace(as_judged(reading[0]), exploratory=True), reading[1])


def _summed(reading: _Reading, found: Found) -> Summed:
    question, notes = reading.question, list[str]()
    statuses: dict[str, dict[str, int]] = defaultdict(dict)
    for variant, status, count in found["statuses"]:
        statuses[variant][status] = count
    series = None
    if question.interval:
        cells = {(period, variant): (n, mean) for period, variant, n, mean in found["series"]}
        names = shown(reading.design, question.limit)
        series = breakdowns.series(cells, question.interval, names, notes)
    return Summed(
        runs=reading.runs,
        columns={row[0]: Column(*row[1:]) for row in found["columns"]},
        statuses=statuses,
        marginals=_marginals(question.by, found) if question.by else [],
        series=series,
        notes=notes,
    )


def _marginals(by: Sequence[str], found: Found) -> list[MarginalMean]:
    groups: dict[Levels, list[Any]] = {}
    for text, *numbers in found["marginals"]:
        groups[tuple((kind, number, name) for kind, number, name in json.loads(text))] = numbers
    return [
        breakdowns.marginal(by, key, n=n, missing=missing, mean=mean)
        for key, (n, missing, mean) in sorted(groups.items(), key=lambda item: item[0])
    ]
