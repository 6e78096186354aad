"""Another metric than the deciding one: its verdict, by the same judge over the same runs, where it can have one.

Such a verdict is exploratory. It keeps its own promise at all looks, but who asks about several metrics asks
several questions, and nothing is corrected for that.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from vettle.engine.experiments import verdicts
from vettle.engine.experiments.design import Design, MetricInput
from vettle.engine.experiments.evidence import gather
from vettle.engine.experiments.measures import (
    RESOURCES,
    SUCCESS,
    Measure,
    deciding,
    measured,
    recorded_of,
    require_recorded,
)
from vettle.engine.experiments.verdicts import Verdict
from vettle.engine.judging.utility import Kind
from vettle.engine.store import Transaction
from vettle.engine.store.experiments import Experiment
from vettle.engine.store.runs import Run

_NEXT_STEP = "go by the deciding metric; to decide by this one, declare it in a new experiment"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about an experiment: what decides it (`main`), and what is told of the metric asked for.

    `verdict` is that metric's own; where nobody declared which direction is better there is none: then `judged`
    is false, `verdict` is `main`, and only `measure` is about the metric.
    """

    main: Verdict
    verdict: Verdict
    measure: Measure
    judged: bool


def ask(transaction: Transaction, found: Experiment, metric: str = "") -> Asked:
    """Judge an experiment by its own metric, or by another one.

    Raises:
        InvalidArgument: No run has recorded this metric, with those that were recorded.
    """
    main = verdicts.of(transaction, found)
    if metric in ("", main.design.metric.name):
        return Asked(main, main, deciding(main), judged=True)
    recorded = {one.run.metrics[metric] for one in main.evidence.scored if metric in one.run.metrics}
    reading = reading_of(main.design, metric, recorded)
    if reading is None:
        return Asked(main, main, measured(main, metric), judged=False)
    if main.evidence.scored and metric != SUCCESS:
        require_recorded(recorded_of(one.run for one in main.evidence.scored), metric)
    design, read = reading
    evidence = gather(
        transaction,
        found.id,
        found.epoch,
        design,
        final=found.state in verdicts.OVER,
        read=read,
    )
    verdict = _explored(verdicts.judge(design, evidence))
    return Asked(main, verdict, replace(deciding(verdict), exploratory=True), judged=True)


def _explored(verdict: Verdict) -> Verdict:
    """Return the verdict without the advice to act on it: that is for the metric that decides."""
    if verdict.judgement.outcome in ("insufficient", "invalid"):
        return verdict
    return replace(verdict, judgement=replace(verdict.judgement, next_step=_NEXT_STEP))


def reading_of(
    design: Design, metric: str, recorded: AbstractSet[float]
) -> tuple[Design, Callable[[Run], Run]] | None:
    """Return the design in which another metric decides, and how its runs are to be read.

    `recorded` are the values that runs recorded under this name. None where nobody declared which direction of
    the metric is better.
    """
    declared = _declared(design, metric, recorded)
    if declared is None:
        return None
    if recorded:
        return _substituted(design, declared), lambda run: run
    return _substituted(design, declared), lambda run: _of_the_run(run, metric)


def _declared(design: Design, name: str, recorded: AbstractSet[float]) -> MetricInput | None:
    """Return the metric as what would decide, None where nothing says which direction is better.

    A component keeps what was declared for missing values; elsewhere a run without the metric is missing.
    `recorded` are the values that runs have recorded under this name.
    """
    for part in design.metric.components:
        if part.name == name:
            given = part.model_dump(exclude={"weight"})
            return MetricInput(**given, missing=design.metric.missing)
    for guard in design.guardrails:
        if guard.name == name:
            return MetricInput(**guard.model_dump(exclude={"margin"}), missing="skip_run")
    if name == SUCCESS:
        # A share has the range that a failed run needs to count as the worst.
        kind: Kind = "binary" if recorded <= {0, 1} else "continuous"
        share = kind == "continuous" and min(recorded) >= 0 and max(recorded) <= 1
        span = (0.0, 1.0) if share else ()
        return MetricInput(name=name, direction="higher", kind=kind, range=span, missing="skip_run")
    if name in RESOURCES:
        return MetricInput(name=name, direction="lower", missing="skip_run")
    return None


def _substituted(design: Design, metric: MetricInput) -> Design:
    """Return the design with another metric deciding; a guardrail of that name guards nothing then."""
    guardrails = [one.model_dump() for one in design.guardrails if one.name != metric.name]
    # Made anew, because a copy would keep what the original has computed of its metrics.
    return Design.model_validate(
        {**design.model_dump(), "metric": metric.model_dump(), "guardrails": guardrails}
    )


def _of_the_run(run: Run, name: str) -> Run:
    """Return a completed run with what it says of itself as a metric; a duration, token or cost of 0 is not known."""
    if run.status != "completed":
        return run
    value = 1.0 if name == SUCCESS else float(run.data.get(name, 0))
    return replace(run, metrics={**run.metrics, name: value}) if value else run
