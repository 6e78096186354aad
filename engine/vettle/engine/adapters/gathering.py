"""Collecting: an adapter's runs are recorded exactly as `run_record` records an agent's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vettle.engine.adapters import DomainAdapter, Signal, finding
from vettle.engine.errors import InvalidArgument
from vettle.engine.experiments import runs
from vettle.engine.experiments.design import Design
from vettle.engine.experiments.evidence import score_of
from vettle.engine.experiments.lifecycle import design_of, require
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.records import RunRefused, RunsRecorded
from vettle.engine.records.adapters import AdapterMetric, Adapters, Collected, CollectedRun
from vettle.engine.store.runs import Run

MOST_SHOWN = 20
_MOST_DESCRIBED = 3
_ONLY_SHOWN = (
    "Nothing was recorded: this is what the sources say. The experiment checks each row when it is recorded."
)


def gather(
    project: Project,
    *,
    adapter: str,
    sources: Sequence[Path],
    experiment: str,
    unit: str = "",
    variant: str = "",
    apply: bool = True,
) -> Collected:
    """Record what an adapter finds in the sources as runs of an experiment: all of it, or nothing and why.

    `unit` (also an assignment id) and `variant` are for rows that do not say theirs. A unit that is collected
    again replaces what was there, so the same report may come twice.

    Raises:
        InvalidArgument: No such adapter, no source, or several rows without a unit.
        UnknownExperiment: No experiment has this id or name.
        SourceDamaged: A source cannot be read. Nothing is recorded then.
    """
    if not sources:
        raise InvalidArgument("sources", "there are none", "Name the files to collect from")
    domain = finding.load(adapter)
    signals = _named(domain.signals(domain.collect(sources)), unit, variant)
    with project.read() as transaction:
        found = require(transaction, experiment)
    design = design_of(found)
    answer = RunsRecorded(
        accepted=0,
        updated=0,
        next_step=_ONLY_SHOWN if signals else "Nothing to record.",
    )
    if apply and signals:
        answer = runs.record(
            project, experiment=found.id, runs=[_told(design, signal.run) for signal in signals]
        )
    return Collected(
        adapter=adapter,
        experiment_id=found.id,
        items=len(signals),
        accepted=answer.accepted,
        updated=answer.updated,
        refused=[_placed(signals, one) for one in answer.refused[:MOST_SHOWN]],
        runs=[_shown(signal) for signal in signals[:MOST_SHOWN]],
        context=_context(domain, design, signals),
        applied=bool(apply and signals and not answer.refused),
        notes=[*answer.notes, *_notes(design, signals)],
        next_step=answer.next_step,
    )


def available() -> Adapters:
    """Return every adapter with the metrics that it makes."""
    return Adapters(adapters={name: _metrics(finding.load(name)) for name in finding.names()})


def _metrics(domain: DomainAdapter) -> list[AdapterMetric]:
    return [
        AdapterMetric(name=one.name, direction=one.direction, kind=one.kind, range=list(one.range))
        for one in domain.metrics
    ]


def _named(signals: Sequence[Signal], unit: str, variant: str) -> list[Signal]:
    """Give the runs that lack one the unit and the variant of the call."""
    nameless = [signal for signal in signals if not (signal.run.unit or signal.run.assignment_id)]
    if len(nameless) > 1 or (nameless and not unit):
        raise InvalidArgument(
            "unit",
            f"{nameless[0].place} names no unit"
            + (f", and {len(nameless) - 1} more" if nameless[1:] else ""),
            "Pass one unit for a single run, or add a column unit or assignment_id",
        )
    return [
        Signal(
            signal.place,
            signal.run.model_copy(
                update={
                    "unit": signal.run.unit or ("" if signal.run.assignment_id else unit),
                    "variant": signal.run.variant or variant,
                }
            ),
        )
        for signal in signals
    ]


def _told(design: Design, run: RunInput) -> RunInput:
    """Say of a run that lacks the metric that decides that it was not measured: reports hold what they hold."""
    return run.model_copy(update={"metrics": {design.metrics[0].name: None, **run.metrics}})


def _placed(signals: Sequence[Signal], refused: RunRefused) -> RunRefused:
    """Return a refused row whose reason begins with the place where the person who mends it has to look."""
    return refused.model_copy(update={"reason": f"{signals[refused.row].place}: {refused.reason}"})


def _shown(signal: Signal) -> CollectedRun:
    run = signal.run
    return CollectedRun(
        place=signal.place, unit=run.unit or run.assignment_id, variant=run.variant, metrics=run.metrics
    )


def _context(domain: DomainAdapter, design: Design, signals: Sequence[Signal]) -> str:
    """Let the adapter describe the best and the worst by what decides the experiment; no run is both."""
    scored = [(score, signal) for signal in signals if (score := _score(design, signal)) is not None]
    ranked = [signal for _, signal in sorted(scored, key=lambda pair: -pair[0])]
    most = min(_MOST_DESCRIBED, len(ranked) // 2) or len(ranked)
    return domain.context(ranked[:most], ranked[most:][-most:] if len(ranked) > 1 else [])


def _score(design: Design, signal: Signal) -> float | None:
    run = signal.run
    known = {name: value for name, value in run.metrics.items() if value is not None}
    try:
        return score_of(design, Run("", 0, 0, "", run.status, known, {}, 0))[0]
    except ValueError:
        return None


def _notes(design: Design, signals: Sequence[Signal]) -> list[str]:
    measured = {name for signal in signals for name in signal.run.metrics}
    lacking = [metric.name for metric in design.metrics if metric.name not in measured]
    if signals and lacking:
        return [
            f"The sources have no {lacking[0]!r}, which decides the experiment. They have: {', '.join(sorted(measured))}."
        ]
    return [] if signals else ["The sources hold no rows."]
