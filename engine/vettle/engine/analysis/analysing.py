"""One question, either engine: the default one, or ClickHouse for histories that are too long for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from vettle.engine.analysis.question import Question
from vettle.engine.errors import ClickHouseUnavailable, InvalidArgument
from vettle.engine.project import Project
from vettle.engine.records import SeriesInterval
from vettle.engine.records.analysis import Analysis, AnalysisEngine, AnalysisKind, ExperimentStatistics

if TYPE_CHECKING:
    from vettle.engine.clickhouse.plan import Engine

URL = "VETTLE_CLICKHOUSE_URL"
PERIOD = "30d"
"""The period of a question that names none."""


def analyse(
    project: Project,
    kind: AnalysisKind,
    *,
    engine: Engine | None = None,
    experiment: str = "",
    metric: str = "",
    by: Sequence[str] = (),
    interval: SeriesInterval | Literal[""] = "",
    context: str = "",
    period: str = PERIOD,
    limit: int = 20,
) -> Analysis:
    """Count one thing in the given ClickHouse, or without one in the default engine; the record is the same.

    `experiment`, `metric`, `by` and `interval` go with kind experiment, which has no period; `context` narrows
    costs, failures and sessions. The default engine reads the newest 10,000 recordings for costs and failures,
    ClickHouse all of the period.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: An argument goes with another kind, or what is asked by was never recorded.
        ClickHouseUnavailable: ClickHouse is not there, refuses, or needs more time or memory than it may have.
    """
    _check(
        kind, experiment=experiment, metric=metric, by=by, interval=interval, context=context, period=period
    )
    used: AnalysisEngine = "default" if engine is None else "clickhouse"
    whole = kind == "experiment"
    empty = Analysis(kind=kind, engine=used, period="" if whole else period, context=context)
    if whole:
        part = _experiment(project, engine, Question(experiment, metric, by, interval, limit))
        return empty.model_copy(update={"experiment": part})
    spans = {"period": period} if kind == "mistakes" else {"period": period, "context": context}
    return empty.model_copy(update={kind: _of_a_period(project, engine, kind, spans, limit)})


def clickhouse(environment: Mapping[str, str] = os.environ) -> Engine:
    """Return the server that VETTLE_CLICKHOUSE_URL names, else the ClickHouse that comes with the extra."""
    from vettle.engine.clickhouse.embedded import INSTALL, Embedded

    url = environment.get(URL, "")
    if not url:
        return Embedded()
    try:
        from vettle.engine.clickhouse.server import Server
    except ImportError as error:
        raise ClickHouseUnavailable(INSTALL) from error
    return Server(url)


def _check(
    kind: AnalysisKind,
    *,
    experiment: str,
    metric: str,
    by: Sequence[str],
    interval: str,
    context: str,
    period: str,
) -> None:
    if kind == "experiment":
        if not experiment:
            raise InvalidArgument("experiment", "none is named", "Pass its id or name")
        if context:
            raise InvalidArgument("context", "it does not go with kind experiment", "Ask by context instead")
        if period not in (PERIOD, "all"):
            raise InvalidArgument(
                "period", "an experiment is counted from its beginning", "Leave it out, or pass interval"
            )
        return
    for name, given in (("experiment", experiment), ("metric", metric), ("by", by), ("interval", interval)):
        if given:
            raise InvalidArgument(
                name, f"it does not go with kind {kind}", "Leave it out, or ask for kind experiment"
            )
    if kind == "mistakes" and context:
        raise InvalidArgument("context", "mistakes are counted by class", "Leave it out")


def _experiment(project: Project, engine: Engine | None, question: Question) -> ExperimentStatistics:
    if engine is None:
        from vettle.engine.analysis import statistics as default

        return default.statistics(project, question)
    from vettle.engine.clickhouse import experiment as counted

    return counted.statistics(project, engine, question)


def _of_a_period(
    project: Project, engine: Engine | None, kind: AnalysisKind, spans: Mapping[str, str], limit: int
) -> object:
    """Return the record of one kind; an engine's functions are called like the records' kinds."""
    from vettle.engine.analysis import costs, failures, over_time

    if engine is None:
        if kind == "costs":
            return costs.costs(project, **spans)
        if kind == "failures":
            return failures.failures(project, **spans, limit=limit)
        if kind == "mistakes":
            return over_time.mistakes(project, **spans, limit=limit)
        return over_time.sessions(project, **spans, limit=limit)
    from vettle.engine.clickhouse import over_time as counted
    from vettle.engine.clickhouse import recordings

    if kind == "costs":
        return recordings.costs(project, engine, **spans)
    if kind == "failures":
        return recordings.failures(project, engine, **spans, limit=limit)
    if kind == "mistakes":
        return counted.mistakes(project, engine, **spans, limit=limit)
    return counted.sessions(project, engine, **spans, limit=limit)
