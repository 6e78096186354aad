"""What an experiment has shown so far: the verdict, a leaderboard of variants, and how results spread.

Only the verdict compares, within randomised blocks where there are any; everything else is for reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from vettle.engine import paging
from vettle.engine.experiments import next_steps, verdicts
from vettle.engine.experiments.another_metric import Asked, ask
from vettle.engine.experiments.breakdowns import marginals, series_of
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.leaderboard import MOST_MODES, leaderboard
from vettle.engine.experiments.lifecycle import require
from vettle.engine.experiments.measures import Measure, rounded
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.judging import checks as looks
from vettle.engine.judging.checks import Check
from vettle.engine.judging.guardrails import breaches
from vettle.engine.judging.judgement import Judgement
from vettle.engine.project import Project
from vettle.engine.records import (
    ChallengerVerdict,
    ExperimentCheck,
    ExperimentResults,
    ExperimentVerdict,
    GuardrailResult,
    Record,
    SeriesInterval,
    TimeSeries,
)
from vettle.engine.store.experiments import Experiment
from vettle.engine.wording import counted, shortened

_REPLY = 17_000
_TEXT = 500
_MOST_LOSERS = 10


def results(
    project: Project,
    *,
    experiment: str,
    metric: str = "",
    by: Sequence[str] = (),
    interval: SeriesInterval | Literal[""] = "",
    limit: int = 20,
) -> ExperimentResults:
    """Tell what an experiment has shown up to now; asking changes nothing and costs no evidence.

    `metric` asks about another metric than the deciding one: one that was recorded, or "success", "duration_ms",
    "tokens_in", "tokens_out" and "cost". It is judged as if it decided, which is exploratory; where nobody
    declared which direction is better it is summarised, raw and of completed runs only. `by` names recorded
    dimensions, dimensions of the space, "context", "stratum" or "variant"; `interval` asks for a time series by
    the time of production, else of recording. `limit` is the most rows of each list.

    Raises:
        UnknownExperiment: No experiment has this id or name.
        InvalidArgument: The metric or a dimension was never recorded, with those that were.
    """
    with project.read() as transaction:
        found = require(transaction, experiment)
        asked = ask(transaction, found, metric)
    return told(found, asked, by=by, interval=interval, limit=limit)


def told(
    found: Experiment,
    asked: Asked,
    *,
    by: Sequence[str] = (),
    interval: SeriesInterval | Literal[""] = "",
    limit: int = 20,
) -> ExperimentResults:
    """Return the answer to a question that was judged already; the arguments are those of `results`.

    Raises:
        InvalidArgument: A dimension was never recorded.
    """
    verdict, measure = asked.verdict, asked.measure
    notes = _notes(verdict, measure, judged=asked.judged)
    rows = leaderboard(verdict, measure, notes)
    deciding = not measure.exploratory
    answer = ExperimentResults(
        experiment_id=found.id,
        name=found.name,
        state=found.state,
        metric=measure.name,
        direction=measure.direction,
        metric_unit=measure.unit,
        exploratory=measure.exploratory,
        runs=len(verdict.evidence.scored),
        verdict=_current(found, verdict.judgement, deciding=deciding) if asked.judged else None,
        frozen=_verdict(_with_next_step(found, found.verdict)) if deciding and found.verdict else None,
        leaderboard=[],
        checks=[_check(check) for check in _checks(verdict)],
        by=list(by),
    )
    lists: dict[str, Sequence[Record]] = {
        "leaderboard": rows[:limit],
        "marginals": marginals(verdict.design, measure, by) if by else [],
        "guardrails": _guardrails(asked.main),
        "challengers": _challengers(verdict) if deciding else [],
    }
    series = series_of(measure, interval, [row.name for row in rows[:limit]], notes) if interval else None
    return _fitted(answer, lists, len(rows), series, limit, notes)


def verdict_of(judgement: Judgement) -> ExperimentVerdict:
    """Return a judgement as a record, with long texts and lists shortened."""
    return _verdict(judgement.to_json())


def _verdict(values: Mapping[str, Any]) -> ExperimentVerdict:
    numbers = {key: rounded(value) for key, value in values.items() if isinstance(value, float)}
    losers = list(values["losers"][:_MOST_LOSERS])
    reasons = [shortened(str(reason), _TEXT) for reason in values["reasons"][:5]]
    if left_out := len(values["losers"]) - len(losers):
        reasons.append(f"{counted(left_out, 'more variant')} lost than are listed here.")
    texts = {
        "reasons": reasons,
        "next_step": shortened(str(values["next_step"]), _TEXT),
    }
    return ExperimentVerdict.model_validate({**values, **numbers, **texts, "losers": losers})


def _current(found: Experiment, judgement: Judgement, *, deciding: bool) -> ExperimentVerdict:
    """Return the verdict of this moment; what is asked about another metric than the deciding one decides nothing."""
    values = judgement.to_json()
    return _verdict(_with_next_step(found, values) if deciding else values)


def _with_next_step(found: Experiment, values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**values, "next_step": next_steps.after(found.id, found.state, values)}


def _challengers(verdict: Verdict) -> list[ChallengerVerdict]:
    shared = set(ChallengerVerdict.model_fields) & set(ExperimentVerdict.model_fields)
    rows = [
        ChallengerVerdict(
            variant=name,
            reason=shortened(judgement.reasons[0], _TEXT),
            **verdict_of(judgement).model_dump(include=shared),
        )
        for name, judgement in verdict.challengers.items()
    ]
    return sorted(rows, key=lambda row: (-(row.shrunk or 0.0), row.variant))


def _checks(verdict: Verdict) -> list[Check]:
    """Return what was looked at; a judge of samples looks at more than it was passed."""
    if verdict.race is not None or not verdict.evidence.scored:
        return list(verdict.checks)
    served = {one.name for one in verdict.design.served}
    samples = {name: own for name, own in verdict.evidence.samples.items() if own or name in served}
    clean = {name: [value for value in column if value is not None] for name, column in samples.items()}
    missing = {name: len(column) - len(clean[name]) for name, column in samples.items()}
    started = {name: len(column) for name, column in samples.items()}
    found = [verdicts.missing_outcomes(verdict.evidence, started, missing)]
    if not verdict.design.is_binary:
        found += [looks.outliers(clean), looks.spread(clean)]
    return [*verdict.checks, *found]


def _check(check: Check) -> ExperimentCheck:
    return ExperimentCheck(
        name=check.name, ok=check.ok, detail=shortened(check.detail, _TEXT), fatal=check.fatal
    )


def _guardrails(verdict: Verdict) -> list[GuardrailResult]:
    """Return every guardrail, those with the most evidence of harm first."""
    rails = verdict.guardrails
    breached = {(rail.name, rail.variant) for rail in breaches(rails, verdicts.ALPHA)}
    margins = {guard.name: guard.margin for guard in verdict.design.guardrails}
    rows = [
        GuardrailResult(
            metric=rail.name,
            variant=rail.variant,
            e_value=rounded(rail.e_value),
            margin=margins[rail.name],
            runs=rail.runs,
            breached=(rail.name, rail.variant) in breached,
        )
        for rail in rails
    ]
    return sorted(rows, key=lambda row: (not row.breached, -row.e_value, row.metric, row.variant))


def _what_differences_mean(design: Design) -> list[str]:
    """Say in what the verdict's differences are counted, where a reader would take them for the metric."""
    [first, *others] = design.metrics
    if others or (first.bounded and (first.low, first.high) != (0, 1)):
        return ["The verdict's differences are utilities, from 0 to 1: + is better."]
    if first.direction == "lower":
        return [f"In the verdict + is better: {first.name!r} is lower by as much."]
    return []


def _notes(verdict: Verdict, measure: Measure, *, judged: bool) -> list[str]:
    """Say what a reader of the numbers has to know about the runs behind them."""
    evidence = verdict.evidence
    notes = [f"{text} (runs: {count})" for text, count in evidence.notes.most_common()]
    if evidence.clipped:
        notes.append(
            f"{counted(evidence.clipped, 'value')} lay outside the declared range and count as its end."
        )
    lost = {name: evidence.missing[name] for name in evidence.samples if evidence.missing[name]}
    if lost:
        number = sum(lost.values())
        have = "has no result" if number == 1 else "have no result"
        notes.append(f"{counted(number, 'run')} {have} or never came back (variants: {len(lost)}).")
    outside = sum(not one.blocked for one in evidence.scored)
    if verdict.race is not None and outside:
        notes.append(
            f"{counted(outside, 'run')} {'was' if outside == 1 else 'were'} not assigned by randomised blocks: the leaderboard has them, the verdict not."
        )
    if evidence.adaptive:
        notes.append(
            f"{counted(evidence.adaptive, 'run')} assigned adaptively or by weights: drift can pass for a difference."
        )
    modes = {(one.variant, one.run.data.get("failure_mode")) for one in evidence.scored}
    if max(Counter(variant for variant, mode in modes if mode).values(), default=0) > MOST_MODES:
        notes.append(f"Of each variant the {MOST_MODES} most frequent failure modes are shown.")
    notes += _what_differences_mean(verdict.design)
    if not verdict.design.metric.minimum_effect:
        notes.append(
            "No minimum_effect is declared: what is still needed is told for a tenth of the range, or of the spread."
        )
    if measure.exploratory:
        notes.append(exploratory_note(measure, judged=judged))
    return notes


def exploratory_note(measure: Measure, *, judged: bool) -> str:
    """Say what an answer about another metric than the deciding one is worth."""
    if judged:
        return (
            f"Exploratory: {measure.name!r} was not declared as deciding. Looking at several metrics is several "
            "questions, and nothing is corrected for that."
        )
    return (
        f"Exploratory: {measure.name!r} does not decide and which direction is better was never declared, "
        "so there is no verdict on it."
    )


def _fitted(
    answer: ExperimentResults,
    lists: Mapping[str, Sequence[Record]],
    variants: int,
    series: TimeSeries | None,
    limit: int,
    notes: list[str],
) -> ExperimentResults:
    """Fill in the lists while there is room, each with its share of it, and say what was left out."""
    totals = {name: len(rows) for name, rows in lists.items()} | {"leaderboard": variants}
    room = _REPLY - len(answer.model_dump_json()) - sum(len(note) for note in notes) - 600
    kept: dict[str, Any] = {}
    waiting = [name for name, rows in lists.items() if rows]
    if series is not None:
        totals["series"] = len(series.variants)
        shown = paging.fit(series.variants, room // 2) if series.variants else []
        kept["series"] = series.model_copy(update={"variants": shown})
        room -= len(kept["series"].model_dump_json())
    for position, name in enumerate(waiting):
        share = room if position == len(waiting) - 1 else max(room // 2, 0)
        kept[name] = paging.fit(lists[name][:limit], share)
        room -= sum(len(row.model_dump_json()) + 1 for row in kept[name])
    for name, total in totals.items():
        there = len(kept[name].variants) if name == "series" else len(kept.get(name, []))
        if there < total:
            notes.append(f"{name}: {there} of {total:,} rows are shown; narrow the question, or raise limit.")
    return answer.model_copy(update={**kept, "notes": [shortened(note, _TEXT) for note in notes]})
