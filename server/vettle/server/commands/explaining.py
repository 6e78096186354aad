"""The command that says why."""

from __future__ import annotations

from collections.abc import Iterator

import click

from vettle.engine import explaining, subjects
from vettle.engine import sessions as engine_sessions
from vettle.engine.effects import CLAIM
from vettle.engine.errors import FilesRefused
from vettle.engine.project import Project
from vettle.engine.quarantine import visible
from vettle.engine.records import ExperimentResults, Replay
from vettle.engine.records.diagnosis import ExperimentExplained, RuleExplained
from vettle.engine.records.rules import Estimate
from vettle.engine.wording import evidence
from vettle.server.commands.common import (
    counted,
    counts,
    drawn,
    emit,
    json_option,
    open_project,
    share,
    signed,
    table,
)
from vettle.server.commands.completing import known
from vettle.server.commands.layout import columns, wrapped
from vettle.server.commands.wording import worded

_INDENT = " " * 10


@click.command()
@click.argument(
    "subject",
    metavar="RULE_OR_EXPERIMENT_OR_SESSION",
    shell_complete=known("rule", "experiment", "session"),
)
@json_option
def explain(subject: str, as_json: bool) -> None:
    """Example: vettle explain run-the-type-checker-1a2b3c.

    Why a rule stands where it stands: its numbers, its history, the files it is in, what would change it. The
    beginning of its id or a piece of its text is enough, if there is only one such rule. For an experiment: its
    verdict and why. For a session id: which rules it was given and with what probability, recomputed from the log.
    """
    with open_project() as project:
        found = subjects.find(project, subject)
        if found.kind == "session":
            replay = engine_sessions.replay(project, found.id)
            emit(replay, as_json, lambda: wrapped(_replay(replay)))
        elif found.kind == "experiment":
            experiment = explaining.experiment(project, found.id)
            emit(experiment, as_json, lambda: wrapped(_experiment(worded(experiment))))
        else:
            rule = explaining.rule(project, found.id, files=_files(project, found.id))
            emit(rule, as_json, lambda: wrapped(_rule(worded(rule))))


def _files(project: Project, rule_id: str) -> list[str]:
    """Return the rule files that hold the rule, as far as the list of written files can be read."""
    # Imported here because only rules are in files.
    from vettle.renderers import lock

    try:
        written = lock.parse((project.root / lock.PATH).read_bytes())
    except (FilesRefused, OSError):
        return []
    return sorted(path for path, entry in written.files.items() if rule_id in entry.rules)


def _rule(record: RuleExplained) -> Iterator[str]:
    estimate = record.estimate
    yield record.why
    yield f"rule      {record.rule.id}"
    yield f"text      {visible(record.rule.text)}"
    status = record.rule.status
    yield f"status    {record.verdict if record.verdict.startswith(status) else f'{status}: {record.verdict}'}"
    yield f"founded   {record.confidence}; found again {counted(record.found_again, 'time')} since it was added"
    yield from _numbers(record)
    if estimate.missing_suspected:
        yield "warning   whether an outcome was logged seems to depend on this rule: the evidence may be biased"
    yield f"files     {', '.join(record.files) or 'none'}"
    for line in record.history:
        yield f"history   {line}"
    for session in record.sessions:
        yield (
            f"session   {session.started:%Y-%m-%d %H:%M}  {session.session_id}  "
            f"{'shown' if session.shown else 'withheld'}, {session.state}, score {share(session.score)}"
        )
    yield f"changes   {record.would_change}"
    yield f"next      {record.next_step}"


def _numbers(record: RuleExplained) -> Iterator[str]:
    estimate = record.estimate
    yield from _plot(estimate) if columns() else _intervals(estimate)
    yield (
        f"evidence  {evidence(estimate.e_works)} that it works, {evidence(estimate.e_hurts)} that it hurts; "
        f"{CLAIM:.0f} is proof at 5 %, at any time (in scored sessions: {estimate.shown} shown, "
        f"{estimate.withheld} withheld by coin)"
    )


def _plot(estimate: Estimate) -> Iterator[str]:
    """Show the effect as the report does."""
    # Imported here because nothing is drawn where the output is piped.
    from vettle.renderers.report.plain import rules

    yield "effect    What is believed steers; only coin flips prove."
    lines = drawn(lambda page: rules.effect(page, estimate), len(_INDENT))
    yield from (f"{_INDENT}{line}" for line in lines if line)


def _intervals(estimate: Estimate) -> Iterator[str]:
    """Say the effect on a line of its own for whoever searches or counts lines."""
    yield (
        f"belief    {signed(estimate.effect)} on the session score, 90 % {signed(estimate.low)}..{signed(estimate.high)}, "
        f"chance that it helps {estimate.chance_helps:.0%} (steers, proves nothing)"
    )
    if estimate.causal_effect is None or estimate.causal_low is None or estimate.causal_high is None:
        return
    yield (
        f"coins     {signed(estimate.causal_effect)}, 90 % at any time "
        f"{signed(estimate.causal_low)}..{signed(estimate.causal_high)}"
    )


def _experiment(record: ExperimentExplained) -> Iterator[str]:
    results = record.results
    yield record.why
    yield f"experiment  {results.experiment_id} ({visible(results.name)})"
    yield f"state       {results.state}; {counted(results.runs, 'run')}; {results.metric}, {results.direction} is better"
    yield from _verdict(results)
    for check in results.checks:
        if not check.ok:
            yield f"check       {check.name}: {check.detail}"
    for line in record.history:
        yield f"history     {line}"
    for note in results.notes:
        yield f"note        {note}"
    yield f"next        {record.next_step}"
    if results.leaderboard:
        yield from table(
            ["variant", "mean", "limits", "runs", "statuses"],
            [
                [
                    row.name,
                    share(row.mean),
                    f"{share(row.low)}..{share(row.high)}",
                    str(row.n),
                    counts({str(name): number for name, number in row.statuses.items()}),
                ]
                for row in results.leaderboard
            ],
        )


def _verdict(results: ExperimentResults) -> Iterator[str]:
    said = results.frozen or results.verdict
    if said is None:
        return
    if said.compared and said.estimate is not None:
        limits = " to ".join("open" if limit is None else f"{limit:+.3g}" for limit in (said.low, said.high))
        yield f"difference  {' minus '.join(said.compared)}: {said.estimate:+.3g} ({limits}), evidence {evidence(said.e_value)}"
    # The first is in the headline.
    for reason in said.reasons[1:]:
        yield f"because     {reason}"
    if said.more_mean is not None:
        yield f"needs       about {counted(said.more_mean, said.unit)} more, on average"


def _replay(record: Replay) -> Iterator[str]:
    recorded = record.recorded
    shown = sum(entry.shown for entry in recorded.slate)
    same = "the log alone gives the same decision" if record.identical else "THE LOG GIVES ANOTHER DECISION"
    yield f"It was given {counted(shown, 'rule')}, {len(recorded.slate) - shown} withheld by coin; {same}."
    yield f"session   {record.session_id}"
    yield (
        f"decision  policy {recorded.policy}, seed {recorded.seed}, after event {recorded.folded}: "
        f"{recorded.offered} of {recorded.pool} candidates offered, at most {recorded.k} chosen"
    )
    for entry in recorded.slate:
        said = "shown" if entry.shown else "withheld"
        yield f"rule      {entry.rule}  {said} (probability of showing {entry.propensity:g})"
    yield f"replay    {'the same decision' if record.identical else 'A DIFFERENT DECISION'} from the log alone"
