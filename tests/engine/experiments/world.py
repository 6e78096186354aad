"""Short ways to ask a question, to work on it, and to judge it; everything goes through the engine."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vettle.engine.experiments import assignment, lifecycle, runs, verdicts
from vettle.engine.experiments.design import GuardrailInput, MetricInput, VariantInput
from vettle.engine.experiments.runs import RunInput
from vettle.engine.project import Project
from vettle.engine.records import ExperimentCreated, RunsRecorded, VariantSelected

PASSED = MetricInput(name="passed", direction="higher", kind="binary", minimum_effect=0.1)
SECONDS = MetricInput(name="seconds", direction="lower", kind="duration")


def variants(*names: str, **changes: Mapping[str, Any]) -> list[VariantInput]:
    """Return variants that differ by their name alone, but for what `changes` says of one by name."""
    return [VariantInput(name=name, config={"name": name}, **changes.get(name, {})) for name in names]


def create(
    project: Project,
    *,
    name: str = "prompt",
    of: Sequence[VariantInput] | None = None,
    metric: MetricInput = PASSED,
    guardrails: Sequence[GuardrailInput] = (),
    **options: Any,
) -> ExperimentCreated:
    """Create an experiment of two variants, a and b, unless told otherwise."""
    chosen = of if of is not None else () if options.get("space") else variants("a", "b")
    options.setdefault("space", {})
    return lifecycle.create(
        project, name=name, variants=chosen, metric=metric, guardrails=guardrails, **options
    )


def select(project: Project, experiment: str = "prompt", **arguments: Any) -> VariantSelected:
    """Select a variant."""
    return assignment.select(project, experiment=experiment, **arguments)


def record(project: Project, *rows: RunInput, experiment: str = "prompt", ref: str = "") -> RunsRecorded:
    """Record rows in one batch."""
    return runs.record(project, experiment=experiment, runs=rows, client_ref=ref)


Outcome = Callable[[str, int], float | RunInput | None]


def work(
    project: Project,
    times: int,
    outcome: Outcome,
    *,
    metric: str = "passed",
    experiment: str = "prompt",
    **arguments: Any,
) -> list[VariantSelected]:
    """Select and record that many times; `outcome(variant, i)` is the metric, or None if nothing comes back."""
    chosen = []
    for index in range(times):
        made = select(project, experiment, unit=f"unit {secrets.randbits(48):x}", **arguments)
        chosen.append(made)
        result = outcome(made.variant, index)
        if result is not None:
            row = result if isinstance(result, RunInput) else RunInput(metrics={metric: result})
            row = row.model_copy(update={"assignment_id": made.assignment_id})
            answer = record(project, row, experiment=experiment)
            assert answer.accepted == 1, answer
    return chosen


def upload(
    project: Project, columns: Mapping[str, Sequence[float]], *, metric: str = "passed"
) -> RunsRecorded:
    """Record runs that nobody assigned, by variant."""
    rows = [
        RunInput(unit=f"{name} {index}", variant=name, metrics={metric: value})
        for name, column in columns.items()
        for index, value in enumerate(column)
    ]
    return record(project, *rows)


def verdict(project: Project, experiment: str = "prompt", **options: Any) -> verdicts.Verdict:
    """Judge the experiment now."""
    with project.read() as transaction:
        return verdicts.of(transaction, lifecycle.require(transaction, experiment), **options)


def decide(project: Project, action: Any, experiment: str = "prompt", reason: str = "because") -> Any:
    """Move the experiment on."""
    return lifecycle.decide(project, experiment=experiment, action=action, reason=reason)


def state(project: Project, experiment: str = "prompt") -> str:
    """Return where the experiment stands."""
    with project.read() as transaction:
        return lifecycle.require(transaction, experiment).state
