"""The commands that sum up: what was spent, how runs failed, and what is known by now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from vettle.engine.records.evidence import Evidence, Performers
from vettle.engine.records.reports import CostsReport, FailuresReport, Spending
from vettle.server import tools
from vettle.server.commands.checking import answered
from vettle.server.commands.common import counted, emit, json_option, say, table
from vettle.server.commands.completing import known
from vettle.server.commands.layout import wrapped
from vettle.server.commands.options import CONTEXT, PERIOD
from vettle.server.commands.wording import worded
from vettle.server.lab import analysing


@click.command()
@PERIOD
@CONTEXT
@json_option
def costs(as_json: bool, **given: Any) -> None:
    """Example: vettle costs --period 7d.

    Tokens, money and time of runs: in all, by experiment, variant and context, by day, and what was wasted.
    """
    record = answered(tools.report_get, {"kind": "costs", **given})
    assert record.costs is not None
    found = record.costs
    emit(record, as_json, lambda: wrapped(costs_lines(found)))


def costs_lines(found: CostsReport) -> Iterator[str]:
    """Yield a report on costs as lines."""
    total = found.total
    yield f"runs      {total.runs}, {total.failed} of them not completed"
    yield f"cost      {total.cost:.6g} in all{_each(total)}"
    if found.wasted_share is not None:
        yield f"wasted    {total.wasted:.6g} ({found.wasted_share:.0%}) on runs that were not completed"
    yield f"tokens    {total.tokens_in:,} in, {total.tokens_out:,} out"
    if total.duration_median is not None:
        yield (
            f"time      {total.duration_ms / 1_000:,.1f} s, median {_number(total.duration_median)} ms, from "
            f"{_number(total.duration_fastest)} to {_number(total.duration_slowest)} ms"
        )
    if found.rules.tokens is not None:
        yield (
            f"rules     {found.rules.tokens:.0f} tokens a session, {found.rules.trial_tokens or 0:.0f} of them for rules "
            f"on trial (mean of {counted(found.rules.sessions, 'session')}, without imported ones)"
        )
    for name, rows in (
        ("experiment", found.experiments),
        ("variant", found.variants),
        ("context", found.contexts),
    ):
        yield from _spending(name, rows)
    yield from table(
        ["day", "runs", "tokens", "cost"],
        [[one.day.isoformat(), str(one.runs), f"{one.tokens:,}", f"{one.cost:.6g}"] for one in found.days],
    )
    yield from (f"note      {note}" for note in found.notes)


def _each(total: Spending) -> str:
    if total.cost_median is None:
        return ""
    return f", {_number(total.cost_mean)} a run, median {_number(total.cost_median)}"


def _spending(name: str, rows: Sequence[Spending]) -> Iterator[str]:
    yield from table(
        [name, "runs", "failed", "cost", "wasted", "tokens", "median ms"],
        [
            [
                row.name,
                str(row.runs),
                str(row.failed),
                f"{row.cost:.6g}",
                f"{row.wasted:.6g}",
                f"{row.tokens_in + row.tokens_out:,}",
                _number(row.duration_median),
            ]
            for row in rows
        ],
    )


def _number(value: float | None) -> str:
    """Return four digits, without powers of ten that nobody reads."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


@click.command()
@PERIOD
@CONTEXT
@click.option("--limit", default=20, show_default=True, help="Most ways to fail to show.")
@json_option
def failures(as_json: bool, **given: Any) -> None:
    """Example: vettle failures --period 7d.

    How runs failed, over all experiments: how often, where most, when last, with an example.
    """
    record = answered(analysing.failures_list, given)
    emit(record, as_json, lambda: wrapped(failures_lines(record)))


def failures_lines(found: FailuresReport) -> Iterator[str]:
    """Yield a report on failures as lines."""
    yield f"{found.failed} of {counted(found.runs, 'run')} {'was' if found.failed == 1 else 'were'} not completed"
    yield from table(
        ["status", "failure mode", "count", "share", "last", "variants", "contexts", "example"],
        [
            [
                mode.status,
                mode.failure_mode or "-",
                str(mode.count),
                f"{mode.share:.0%}",
                mode.last.strftime("%Y-%m-%d %H:%M"),
                ", ".join(f"{name} ({count})" for name, count in mode.variants.items()),
                ", ".join(f"{name} ({count})" for name, count in mode.contexts.items()) or "-",
                mode.example or "-",
            ]
            for mode in found.modes
        ],
    )
    yield from (f"note: {note}" for note in found.notes)


@click.command()
@CONTEXT
@click.option("--limit", default=20, show_default=True, help="Most rows of each list.")
@click.option(
    "--experiment",
    default="",
    help="Instead: the best and worst runs of this experiment.",
    shell_complete=known("experiment"),
)
@click.option("--metric", default="", help="With --experiment: another recorded metric.")
@click.option("--top", default=5, show_default=True, help="With --experiment: runs of each list.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print one page of Markdown.")
@json_option
def evidence(as_json: bool, as_markdown: bool, experiment: str, metric: str, top: int, **given: Any) -> None:
    """Example: vettle evidence --markdown.

    What is known by now: every variable that was tested and how it stands, what is open, the mistakes that come
    back, and the runs to learn from. It is what a person or a model needs to propose what to try next.
    """
    if experiment and as_markdown:
        raise click.UsageError("--markdown does not go with --experiment.")
    if experiment:
        _show_performers(as_json, experiment=experiment, metric=metric, top=top)
        return
    if metric:
        raise click.UsageError("--metric goes with --experiment.")
    record = answered(tools.report_get, {"kind": "evidence", **given})
    assert record.evidence is not None
    found = record.evidence
    if as_markdown:
        from vettle.engine.analysis import page

        say(page.markdown(found), end=False)
        return
    emit(record, as_json, lambda: wrapped(_evidence(worded(found))))


def _evidence(found: Evidence) -> Iterator[str]:
    yield from table(
        ["variable", "standing", "outcome", "best", "effect", "runs", "cost", "next"],
        [
            [
                row.variable,
                row.standing,
                row.outcome,
                row.best or "-",
                "-" if row.effect is None else f"{row.effect:+.3g}",
                str(row.runs),
                f"{row.cost:.4g}",
                row.next_step,
            ]
            for row in found.variables
        ],
    )
    for one in found.open:
        yield f"open      {one.experiment_id} ({one.state}, {counted(one.runs, 'run')}, {one.outcome})"
    for mistake in found.mistakes:
        yield f"mistake   {mistake.occurrences}x since the beginning, {mistake.error_class}: {' '.join(mistake.description.split())}"
    yield f"rules     {', '.join(f'{number} {name}' for name, number in found.rules.items()) or 'none'}"
    for each in found.performers:
        yield from _performers(each)
    for proposer in found.proposers:
        yield (
            f"proposer  {proposer.proposer}: {proposer.won} won, {proposer.lost} lost, {proposer.no_difference} "
            f"without a difference, {proposer.open} open; realised {_number(proposer.realised)} of what was expected"
        )
    yield from (f"note      {note}" for note in found.notes)


def _show_performers(as_json: bool, **given: Any) -> None:
    record = answered(analysing.performers_list, given)
    emit(record, as_json, lambda: wrapped(_performers(record)))


def _performers(found: Performers) -> Iterator[str]:
    yield f"runs of {found.experiment_id} by {found.metric}"
    yield from table(
        ["", "unit", "variant", "value"],
        [["best", run.unit, run.variant, f"{run.value:.6g}"] for run in found.top]
        + [["worst", run.unit, run.variant, f"{run.value:.6g}"] for run in found.bottom],
    )
    yield from table(
        ["metric", "runs", "missing", "mean", "deviation", "relative"],
        [
            [row.metric, str(row.n), str(row.missing), _number(row.mean), _number(row.deviation), _number(row.relative)]
            for row in found.dispersion
        ],
    )  # fmt: skip
    for pattern in found.patterns:
        value = pattern.value if isinstance(pattern.value, str) else f"{pattern.value:g}"
        yield (
            f"hint      {pattern.dimension} = {value}: {pattern.top:.0%} of the better half, "
            f"{pattern.bottom:.0%} of the worse"
        )
    yield from (f"note      {note}" for note in found.notes)
