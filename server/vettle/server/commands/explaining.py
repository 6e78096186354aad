"""The command that says why."""

from __future__ import annotations

from collections.abc import Iterator

import click

from vettle.engine import explaining, subjects
from vettle.engine import sessions as engine_sessions
from vettle.engine.errors import FilesRefused
from vettle.engine.project import Project
from vettle.engine.quarantine import visible
from vettle.engine.records import ExperimentResults, Replay
from vettle.engine.records.diagnosis import ExperimentExplained, RuleExplained
from vettle.renderers.report.plain.columns import width
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
from vettle.server.commands.layout import columns, wrapped

_WIDTH = 41
_INDENT = 10


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
            emit(experiment, as_json, lambda: wrapped(_experiment(experiment)))
        else:
            rule = explaining.rule(project, found.id, files=_files(project, found.id))
            emit(rule, as_json, lambda: wrapped(_rule(rule)))


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
    yield (
        f"belief    {signed(estimate.effect)} on the session score, 90 % {signed(estimate.low)}..{signed(estimate.high)}, "
        f"chance that it helps {estimate.chance_helps:.0%} (steers, proves nothing)"
    )
    yield from _drawn(estimate.effect, estimate.low, estimate.high)
    yield (
        f"evidence  e-value {estimate.e_works:.2g} that it works, {estimate.e_hurts:.2g} that it hurts; 20 is proof "
        f"at 5 %, at any time ({estimate.shown} shown, {estimate.withheld} withheld by coin)"
    )
    if estimate.causal_effect is None or estimate.causal_low is None or estimate.causal_high is None:
        return
    yield (
        f"coins     {signed(estimate.causal_effect)}, 90 % at any time "
        f"{signed(estimate.causal_low)}..{signed(estimate.causal_high)}"
    )
    yield from _drawn(estimate.causal_effect, estimate.causal_low, estimate.causal_high)


def _drawn(effect: float, low: float, high: float) -> Iterator[str]:
    """Draw an interval where there is a terminal with room for it."""
    line = f"{' ' * _INDENT}{bar(effect, low, high)}"
    if width(line) <= columns():
        yield line


def bar(effect: float, low: float, high: float) -> str:
    """Draw an interval on a line with zero in its middle; limits beyond the line are drawn as arrows.

    The line reaches as far on both sides as the farther limit does, but not beyond -1 and 1.
    """
    reach = min(max(abs(low), abs(high), 0.05), 1.0)
    middle = _WIDTH // 2

    def column(value: float) -> int:
        return max(0, min(_WIDTH - 1, middle + round(value / reach * middle)))

    line = ["·"] * _WIDTH
    line[middle] = "│"
    first, last = column(low), column(high)
    line[first : last + 1] = "─" * (last + 1 - first)
    line[first] = "├" if low >= -reach else "←"
    line[last] = "┤" if high <= reach else "→"
    if first <= middle <= last:
        line[middle] = "┼"
    line[column(effect)] = "●"
    return f"{signed(-reach)} {''.join(line)} {signed(reach)}"


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
        yield f"difference  {' minus '.join(said.compared)}: {said.estimate:+.3g} ({limits}), e-value {said.e_value:.2g}"
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
