"""The command that counts over long histories, with either engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import click
from pydantic import Field

from vettle.engine.analysis import analysing
from vettle.engine.arguments import Label, Limit, Period, RequiredLabel
from vettle.engine.project import Project
from vettle.engine.records import SeriesInterval
from vettle.engine.records.analysis import (
    Analysis,
    AnalysisEngine,
    AnalysisKind,
    ExperimentStatistics,
    MistakesOverTime,
    SessionsByContext,
)
from vettle.server.commands.analysis import costs_lines, failures_lines
from vettle.server.commands.checking import checked
from vettle.server.commands.common import Choice, counted, emit, json_option, open_project, table
from vettle.server.commands.completing import known
from vettle.server.commands.working import working
from vettle.server.tool import Tool


def _analyse(
    project: Project,
    kind: AnalysisKind,
    engine: AnalysisEngine = "default",
    experiment: Label = "",
    metric: Label = "",
    by: Annotated[tuple[RequiredLabel, ...], Field(max_length=5)] = (),
    interval: SeriesInterval | Literal[""] = "",
    context: Label = "",
    period: Period = analysing.PERIOD,
    limit: Limit = 20,
) -> Analysis:
    chosen = analysing.clickhouse() if engine == "clickhouse" else None
    return analysing.analyse(
        project,
        kind,
        engine=chosen,
        experiment=experiment,
        metric=metric,
        by=by,
        interval=interval,
        context=context,
        period=period,
        limit=limit,
    )


@click.command()
@click.argument(
    "kind", type=Choice(["costs", "failures", "mistakes", "sessions", "experiment"]), metavar="KIND"
)
@click.argument("experiment", default="", shell_complete=known("experiment"))
@click.option("--engine", default="default", show_default=True, help='"default", or "clickhouse".')
@click.option("--metric", default="", help="With experiment: another recorded metric.")
@click.option("--by", multiple=True, help="With experiment: a dimension to average by (repeatable).")
@click.option("--interval", default="", help="With experiment: a time series by hour, day or week.")
@click.option(
    "--context",
    default="",
    help="Only this kind of work (costs, failures, sessions).",
    shell_complete=known("context"),
)
@click.option(
    "--period",
    default=analysing.PERIOD,
    show_default=True,
    help='Days such as "7d", or "all" (not with experiment).',
)
@click.option("--limit", default=20, show_default=True, help="Most rows of each list.")
@json_option
def analyse(as_json: bool, **given: Any) -> None:
    """Example: vettle analyse experiment prompt --by model --interval week --engine clickhouse.

    Sums over a project's history: costs, failures, mistakes by class, sessions by context, or the runs of an
    experiment. Both engines give the same record; ClickHouse reads all of the period where the default one reads
    the newest 10,000 recordings, and wants pip install 'vettle[clickhouse]' or VETTLE_CLICKHOUSE_URL.
    """
    arguments = checked(Tool(_analyse, "Analyse", reads_only=True), given)
    with open_project() as project, working("counting"):
        record = _analyse(project, **arguments)
    emit(record, as_json, lambda: _lines(record))


def _lines(record: Analysis) -> Iterator[str]:
    part = getattr(record, record.kind)
    return _LINES[record.kind](part)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _mistakes(found: MistakesOverTime) -> Iterator[str]:
    yield f"{counted(found.total, 'mistake')}, {found.repeats} of them repeats"
    yield from table(
        ["class", "count", "repeats", "rate", f"by {found.trend.interval} from", "repeats/count"],
        [
            [
                row.error_class,
                str(row.count),
                str(row.repeats),
                f"{row.repeat_rate:.2f}",
                row.periods[0].start.isoformat(),
                " ".join(f"{one.repeats}/{one.count}" for one in row.periods),
            ]
            for row in found.classes
        ],
    )
    yield found.trend.said
    yield from (f"note      {note}" for note in found.notes)


def _sessions(found: SessionsByContext) -> Iterator[str]:
    yield from table(
        [
            "context",
            "started",
            "scored",
            "abandoned",
            "unrewarded",
            "score",
            "deviation",
            "mistakes",
            "repeats",
        ],
        [
            [
                row.context,
                *(str(number) for number in (row.started, row.score.n, row.abandoned, row.unrewarded)),
                *(_number(value) for value in (row.score.mean, row.deviation, row.mistakes, row.repeats)),
            ]
            for row in found.contexts
        ],
    )
    if not found.contexts:
        yield "No session."
    yield from (f"note      {note}" for note in found.notes)


def _experiment(found: ExperimentStatistics) -> Iterator[str]:
    unit = f" ({found.metric_unit})" if found.metric_unit else ""
    yield f"{found.name} ({found.state}): {counted(found.runs, 'run')} by {found.metric}{unit}"
    yield from table(
        [
            "variant",
            "n",
            "missing",
            "mean",
            "deviation",
            "least",
            "greatest",
            "ms",
            "tokens",
            "cost",
            "statuses",
        ],
        [
            [
                *(row.variant, str(row.n), str(row.missing)),
                *(_number(value) for value in (row.mean, row.deviation, row.least, row.greatest)),
                *(_number(value) for value in (row.duration_ms, row.tokens, row.cost)),
                ", ".join(f"{number} {name}" for name, number in row.statuses.items()) or "-",
            ]
            for row in found.variants
        ],
    )
    yield from table(
        [*found.by, "n", "missing", "mean"],
        [
            [
                *(value if isinstance(value, str) else f"{value:g}" for value in row.values),
                *(str(row.n), str(row.missing), _number(row.mean)),
            ]
            for row in found.marginals
        ],
    )
    if found.series is not None:
        yield from table(
            [found.series.interval, *(one.variant for one in found.series.variants)],
            [
                [
                    start.strftime("%Y-%m-%d %H:%M"),
                    *(f"{_number(one.mean[at])} ({one.n[at]})" for one in found.series.variants),
                ]
                for at, start in enumerate(found.series.starts)
            ],
        )
    yield from (f"note      {note}" for note in found.notes)


_LINES: dict[AnalysisKind, Callable[[Any], Iterator[str]]] = {
    "costs": costs_lines,
    "failures": failures_lines,
    "mistakes": _mistakes,
    "sessions": _sessions,
    "experiment": _experiment,
}
