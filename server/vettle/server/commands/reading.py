"""The commands that only look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

from vettle.engine import reports, standings
from vettle.engine import sessions as engine_sessions
from vettle.engine.project import Project
from vettle.engine.records import (
    Explanation,
    MistakesReport,
    Replay,
    Report,
    RewardsReport,
    RuleDetails,
    RulesPage,
    RuleSummary,
    SessionsReport,
)
from vettle.engine.records import Status as StatusRecord
from vettle.engine.records.reports import MistakeTrend
from vettle.server import tools
from vettle.server.commands.common import counted, emit, json_option, open_project, share, signed, table
from vettle.server.signatures import signature
from vettle.server.toolsets import find

_SESSION_ID = re.compile(r"s-[0-9a-f]{12}")


def _checked(function: Any, **given: Any) -> dict[str, Any]:
    """Check arguments as the tool of the same function would."""
    return signature(find(function)).validate(given)


def _report(**given: Any) -> Report:
    arguments = _checked(tools.report_get, **given)
    with open_project() as project:
        return tools.report_get(project, **arguments)


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Example: vettle status.

    What is going on in this project, what needs a person, and the next step.
    """
    with open_project() as project:
        record = reports.status(project)
    emit(record, as_json, lambda: _status(record))


def _status(record: StatusRecord) -> Iterator[str]:
    yield f"project      {record.project}"
    yield f"store        {record.store} (schema {record.schema_version}, vettle {record.version})"
    yield f"rules        {_counts(record.rules)}"
    yield f"sessions     {_counts(record.sessions)}"
    yield f"experiments  {_counts(record.experiments)}"
    yield f"logged       {counted(record.mistakes, 'mistake')}, {counted(record.rewards, 'reward')}"
    for session in record.open_sessions:
        yield f"open         {session.session_id}  {session.context}: {session.task.splitlines()[0][:70]}"
    for rule_id in record.needs_person:
        yield f"person       {rule_id} is quarantined"
    for warning in record.warnings:
        yield f"warning      {warning}"
    yield f"next         {record.next_step}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "none"


@click.command()
@click.option("--status", default="", help="Only rules in this status.")
@click.option("--context", default="", help="Only rules for this kind of work, and their effect in it.")
@click.option("--query", default="", help="Only rules with this text.")
@click.option("--limit", default=20, show_default=True, help="Most rules to show.")
@click.option("--cursor", default="", help="Where the page before ended.")
@click.option("--detailed", is_flag=True, help="With --json: every number of each rule.")
@click.option("--pack", is_flag=True, help="Print all of them as a starter pack (YAML) for another project.")
@json_option
def rules(as_json: bool, detailed: bool, pack: bool, **given: Any) -> None:
    """Example: vettle rules --status proven.

    Every rule with its effect on the session score, the evidence and the verdict, strongest first.
    """
    arguments = _checked(tools.rules_list, **given, response_format="detailed" if detailed else "concise")
    with open_project() as project:
        if pack:
            _pack(project, arguments, as_json)
            return
        record = tools.rules_list(project, **arguments)
    emit(record, as_json, lambda: _rules(record))


def _pack(project: Project, arguments: dict[str, Any], as_json: bool) -> None:
    # Imported here because listing rules needs no YAML.
    from vettle.engine.candidates import sharing

    chosen = {name: arguments[name] for name in ("status", "context", "query") if name in arguments}
    record = sharing.pack(project, **chosen)
    emit(record, as_json, lambda: iter(sharing.as_yaml(record).splitlines()))


def _rules(page: RulesPage) -> Iterator[str]:
    if not page.rules:
        yield "No rule yet. Add one: vettle rule add 'Run the type checker before committing.'"
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
    )


@click.command()
@click.argument("subject", metavar="RULE_OR_SESSION")
@json_option
def explain(subject: str, as_json: bool) -> None:
    """Example: vettle explain run-the-type-checker-1a2b3c.

    Why a rule stands where it stands: its numbers, its history, what would change it. For a session id:
    which rules it was given and with what probability, recomputed from the log.
    """
    with open_project() as project:
        if _SESSION_ID.fullmatch(subject):
            replay = engine_sessions.replay(project, subject)
            emit(replay, as_json, lambda: _replay(replay))
        else:
            explanation = standings.explain(project, subject)
            emit(explanation, as_json, lambda: _explanation(explanation))


def _explanation(record: Explanation) -> Iterator[str]:
    estimate = record.estimate
    yield f"rule      {record.rule.id}"
    yield f"text      {record.rule.text}"
    yield f"status    {record.rule.status}: {record.verdict}"
    yield f"founded   {record.confidence}; found again {counted(record.found_again, 'time')} since it was added"
    yield (
        f"belief    {signed(estimate.effect)} on the session score, 90 % {signed(estimate.low)}..{signed(estimate.high)}, "
        f"chance that it helps {estimate.chance_helps:.0%} (steers, proves nothing)"
    )
    yield (
        f"evidence  e-value {estimate.e_works:.2g} that it works, {estimate.e_hurts:.2g} that it hurts; 20 is proof "
        f"at 5 %, at any time ({estimate.shown} shown, {estimate.withheld} withheld by coin)"
    )
    if (
        estimate.causal_effect is not None
        and estimate.causal_low is not None
        and estimate.causal_high is not None
    ):
        yield (
            f"coins     {signed(estimate.causal_effect)}, 90 % at any time "
            f"{signed(estimate.causal_low)}..{signed(estimate.causal_high)}"
        )
    if estimate.missing_suspected:
        yield "warning   whether an outcome was logged seems to depend on this rule: the evidence may be biased"
    for line in record.history:
        yield f"history   {line}"
    yield f"next      {record.next_step}"


def _replay(record: Replay) -> Iterator[str]:
    recorded = record.recorded
    yield f"session   {record.session_id}"
    yield (
        f"decision  policy {recorded.policy}, seed {recorded.seed}, after event {recorded.folded}: "
        f"{recorded.offered} of {recorded.pool} candidates offered, at most {recorded.k} chosen"
    )
    for entry in recorded.slate:
        said = "shown" if entry.shown else "withheld"
        yield f"rule      {entry.rule}  {said} (probability of showing {entry.propensity:g})"
    yield f"replay    {'the same decision' if record.identical else 'A DIFFERENT DECISION'} from the log alone"


@click.command()
@click.option("--period", default="30d", show_default=True, help='Days such as "7d", or "all".')
@click.option("--context", default="", help="Only this kind of work.")
@click.option("--limit", default=20, show_default=True, help="Most sessions to list.")
@click.option("--cursor", default="", help="Where the page before ended.")
@json_option
def sessions(as_json: bool, **given: Any) -> None:
    """Example: vettle sessions --period 7d.

    How many sessions there were, how they ended and scored, and the newest of them.
    """
    record = _report(kind="sessions", **given)
    assert record.sessions is not None
    found = record.sessions
    emit(record, as_json, lambda: _sessions(found))


def _sessions(found: SessionsReport) -> Iterator[str]:
    yield f"sessions  {_counts(found.by_state)}"
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
    )
    if found.next_cursor:
        yield f"More: --cursor {found.next_cursor}"


@click.command()
@click.option("--period", default="30d", show_default=True, help='Days such as "7d", or "all".')
@json_option
def rewards(as_json: bool, **given: Any) -> None:
    """Example: vettle rewards --period 7d.

    Feedback by outcome and by source, with the mean reward from 0 (rejected) to 1 (accepted).
    """
    record = _report(kind="rewards", **given)
    assert record.rewards is not None
    found = record.rewards
    emit(record, as_json, lambda: _rewards(found))


def _rewards(found: RewardsReport) -> Iterator[str]:
    yield f"{counted(found.total, 'reward')}, mean {share(found.mean)}"
    yield f"outcomes  {_counts(found.by_outcome)}"
    yield from table(
        ["source", "count", "mean"],
        [[name, str(mean.n), share(mean.mean)] for name, mean in found.by_source.items()],
    )


@click.command()
@click.option("--period", default="30d", show_default=True, help='Days such as "7d", or "all".')
@json_option
def mistakes(as_json: bool, **given: Any) -> None:
    """Example: vettle mistakes --period 7d.

    Mistakes by class with the share that repeats an earlier session's, its trend, and those that keep coming back.
    """
    record = _report(kind="mistakes", **given)
    assert record.mistakes is not None
    found = record.mistakes
    emit(record, as_json, lambda: _mistakes(found))


def _mistakes(found: MistakesReport) -> Iterator[str]:
    rate = "" if found.repeat_rate is None else f", {found.repeat_rate:.0%} repeat an earlier session's"
    yield f"{counted(found.total, 'mistake')}{rate}"
    yield from table(
        ["class", "count", "repeats"],
        [[row.error_class, str(row.count), f"{row.repeat_rate:.0%}"] for row in found.by_class],
    )
    if found.severities:
        yield f"severity  {_counts({str(name): number for name, number in found.severities.items()})}"
    if found.trend is not None:
        yield from _trend(found.trend)
    for mode in found.failures:
        yield f"runs      {mode.count}x {mode.status} {mode.failure_mode}".rstrip()
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
