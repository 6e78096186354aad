"""The commands that only look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from vettle.engine.project import Project
from vettle.engine.records import (
    MistakesReport,
    RewardsReport,
    RuleDetails,
    RulesPage,
    RuleSummary,
    SessionsReport,
)
from vettle.engine.records.reports import MistakeTrend
from vettle.server import tools
from vettle.server.commands.checking import answered, checked
from vettle.server.commands.common import (
    counted,
    counts,
    emit,
    json_option,
    open_project,
    share,
    signed,
    table,
)
from vettle.server.commands.completing import known
from vettle.server.commands.layout import wrapped
from vettle.server.commands.options import CONTEXT, CURSOR, PERIOD
from vettle.server.toolsets import find


@click.command()
@click.option("--status", default="", help="Only rules in this status.")
@click.option(
    "--context",
    default="",
    help="Only rules for this kind of work, and their effect in it.",
    shell_complete=known("context"),
)
@click.option("--query", default="", help="Only rules with this text.")
@click.option("--limit", default=20, show_default=True, help="Most rules to show.")
@CURSOR
@click.option("--detailed", is_flag=True, help="With --json: every number of each rule.")
@click.option("--pack", is_flag=True, help="Print all of them as a starter pack (YAML) for another project.")
@json_option
def rules(as_json: bool, detailed: bool, pack: bool, **given: Any) -> None:
    """Example: vettle rules --status proven.

    Every rule with its effect on the session score, the evidence and the verdict, strongest first.
    """
    arguments = checked(
        find(tools.rules_list), dict(**given, response_format="detailed" if detailed else "concise")
    )
    with open_project() as project:
        if pack:
            _pack(project, arguments, as_json)
            return
        record = tools.rules_list(project, **arguments)
    emit(record, as_json, lambda: wrapped(_rules(record)))


def _pack(project: Project, arguments: dict[str, Any], as_json: bool) -> None:
    # Imported here because listing rules needs no YAML.
    from vettle.engine.candidates import sharing

    chosen = {name: arguments[name] for name in ("status", "context", "query") if name in arguments}
    record = sharing.pack(project, **chosen)
    emit(record, as_json, lambda: iter(sharing.as_yaml(record).splitlines()))


def _rules(page: RulesPage) -> Iterator[str]:
    if not page.rules:
        yield page.note or "No rule yet. Add one: vettle rule add 'Run the type checker before committing.'"
        return
    yield from rule_table(page.rules)
    if page.note:
        yield f"{page.note} (--cursor {page.next_cursor})"


def rule_table(rows: list[RuleDetails | RuleSummary]) -> Iterator[str]:
    """Show rules one to a line."""
    yield from table(
        [
            "rule",
            "status",
            "confidence",
            "effect",
            "90 %",
            "helps",
            "shown/withheld",
            "found again",
            "verdict",
        ],
        [
            [
                row.id,
                row.status,
                row.confidence,
                signed(row.effect),
                f"{signed(row.low)}..{signed(row.high)}",
                f"{row.chance_helps:.0%}",
                f"{row.shown}/{row.withheld}",
                str(row.found_again),
                row.verdict,
            ]
            for row in rows
        ],
        whole=("verdict",),
        spare=("found again", "confidence", "90 %", "shown/withheld"),
    )


@click.command()
@PERIOD
@CONTEXT
@click.option("--limit", default=20, show_default=True, help="Most sessions to list.")
@CURSOR
@json_option
def sessions(as_json: bool, **given: Any) -> None:
    """Example: vettle sessions --period 7d.

    How many sessions there were, how they ended and scored, and the newest of them.
    """
    record = answered(tools.report_get, {"kind": "sessions", **given})
    assert record.sessions is not None
    found = record.sessions
    emit(record, as_json, lambda: wrapped(_sessions(found)))


def _sessions(found: SessionsReport) -> Iterator[str]:
    yield f"sessions  {counts(found.by_state)}"
    yield f"score     {share(found.score.mean)} over {found.score.n} scored"
    for name, mean in found.by_context.items():
        yield f"          {share(mean.mean)} in {name} ({mean.n})"
    yield from table(
        ["session", "started", "state", "score", "mistakes", "shown", "withheld", "context", "task"],
        [
            [
                session.session_id,
                session.started.strftime("%Y-%m-%d %H:%M"),
                session.state,
                share(session.score),
                str(session.mistakes),
                str(session.rules_shown),
                str(session.rules_withheld),
                session.context,
                " ".join(session.task.split()),
            ]
            for session in found.sessions
        ],
        spare=("withheld", "shown", "state", "mistakes"),
    )
    if found.next_cursor:
        yield f"More: --cursor {found.next_cursor}"


@click.command()
@PERIOD
@json_option
def rewards(as_json: bool, **given: Any) -> None:
    """Example: vettle rewards --period 7d.

    Feedback by outcome and by source, with the mean reward from 0 (rejected) to 1 (accepted).
    """
    record = answered(tools.report_get, {"kind": "rewards", **given})
    assert record.rewards is not None
    found = record.rewards
    emit(record, as_json, lambda: wrapped(_rewards(found)))


def _rewards(found: RewardsReport) -> Iterator[str]:
    yield f"{counted(found.total, 'reward')}, mean {share(found.mean)}"
    yield f"outcomes  {counts(found.by_outcome)}"
    yield from table(
        ["source", "count", "mean"],
        [[name, str(mean.n), share(mean.mean)] for name, mean in found.by_source.items()],
    )


@click.command()
@PERIOD
@json_option
def mistakes(as_json: bool, **given: Any) -> None:
    """Example: vettle mistakes --period 7d.

    Mistakes by class with the share that repeats an earlier session's, its trend, and those that keep coming back.
    """
    record = answered(tools.report_get, {"kind": "mistakes", **given})
    assert record.mistakes is not None
    found = record.mistakes
    emit(record, as_json, lambda: wrapped(_mistakes(found)))


def _mistakes(found: MistakesReport) -> Iterator[str]:
    rate = "" if found.repeat_rate is None else f", {found.repeat_rate:.0%} repeat an earlier session's"
    yield f"{counted(found.total, 'mistake')}{rate}"
    yield from table(
        ["class", "count", "repeats"],
        [[row.error_class, str(row.count), f"{row.repeat_rate:.0%}"] for row in found.by_class],
    )
    if found.severities:
        yield f"severity  {counts({str(name): number for name, number in found.severities.items()})}"
    if found.trend is not None:
        yield from _trend(found.trend)
    for mode in found.failures:
        yield f"runs      {mode.count}x {mode.status} {mode.failure_mode}".rstrip()
    if found.recurring:
        yield "Made most often since the beginning:"
    for mistake in found.recurring:
        yield f"{mistake.occurrences}x {mistake.error_class}: {' '.join(mistake.description.split())}"
        if mistake.correction:
            yield f"    corrected by: {' '.join(mistake.correction.split())}"


def _trend(found: MistakeTrend) -> Iterator[str]:
    yield from table(
        [found.interval, "count", "repeats", "rate"],
        [[row.start.isoformat(), str(row.count), str(row.repeats), share(row.rate)] for row in found.periods],
    )
    yield found.said
