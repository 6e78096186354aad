"""The answer of `vettle analyse`: the same record, whichever engine counted."""

from __future__ import annotations

from typing import Literal

from vettle.engine.records.base import ExperimentState, Record, RunStatus
from vettle.engine.records.experiments import MarginalMean, TimeSeries
from vettle.engine.records.reports import CostsReport, FailuresReport, Mean, MistakePeriod, MistakeTrend

AnalysisKind = Literal["costs", "failures", "mistakes", "sessions", "experiment"]
AnalysisEngine = Literal["default", "clickhouse"]


class VariantStatistics(Record):
    """One variant in numbers, in the metric's own unit.

    `n` counts the runs with a result, `missing` those without. `deviation` is the standard deviation of one run
    (null below two). Duration (milliseconds), tokens and cost are means of completed runs; 0 was not measured.
    """

    variant: str
    n: int
    missing: int
    statuses: dict[RunStatus, int]
    mean: float | None
    deviation: float | None
    least: float | None
    greatest: float | None
    duration_ms: float | None
    tokens: float | None
    cost: float | None


class ExperimentStatistics(Record):
    """What an experiment's runs add up to. It compares nothing: only the verdict of the experiment does."""

    experiment_id: str
    name: str
    state: ExperimentState
    metric: str
    metric_unit: str
    exploratory: bool
    runs: int
    variants: list[VariantStatistics]
    by: list[str] = []
    marginals: list[MarginalMean] = []
    series: TimeSeries | None = None
    notes: list[str] = []


class ClassOverTime(Record):
    """The mistakes of one class: all together, and by day or week, the empty ones included."""

    error_class: str
    count: int
    repeats: int
    repeat_rate: float
    periods: list[MistakePeriod]


class MistakesOverTime(Record):
    """Mistakes of a period by class, the most frequent first, with the trend of all together."""

    total: int
    repeats: int
    repeat_rate: float | None
    classes: list[ClassOverTime]
    trend: MistakeTrend
    notes: list[str] = []


class ContextSessions(Record):
    """The sessions of one context. `mistakes` and `repeats` are means per scored session."""

    context: str
    started: int
    abandoned: int
    unrewarded: int
    score: Mean
    deviation: float | None
    mistakes: float | None
    repeats: float | None


class SessionsByContext(Record):
    """Sessions of a period by context, those with the most scored sessions first."""

    contexts: list[ContextSessions]
    notes: list[str] = []


class Analysis(Record):
    """The answer to `vettle analyse`: exactly one of the parts is filled, the one named by `kind`."""

    kind: AnalysisKind
    engine: AnalysisEngine
    period: str
    context: str
    costs: CostsReport | None = None
    failures: FailuresReport | None = None
    mistakes: MistakesOverTime | None = None
    sessions: SessionsByContext | None = None
    experiment: ExperimentStatistics | None = None
