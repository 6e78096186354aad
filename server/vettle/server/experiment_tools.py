"""The tools of experiments: which of several prompts, models or settings is better (see `tool`).

The engine is imported where it is used, because it needs numpy and a server has to answer at once.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vettle.engine.arguments import Configuration, Dimensions, Label, Limit, Notes, Reason, RequiredLabel
from vettle.engine.experiments.design import GuardrailInput, MetricInput, Mode, VariantInput
from vettle.engine.experiments.runs import MOST_RUNS, RunInput
from vettle.engine.project import Project
from vettle.engine.records import (
    ExperimentAction,
    ExperimentCreated,
    ExperimentDecided,
    ExperimentResults,
    RunsRecorded,
    SelectionPolicy,
    VariantSelected,
)
from vettle.server.tool import ClientRef, Tool

Experiment = RequiredLabel
"""The id of an experiment, or its name."""


def experiment_create(
    project: Project,
    name: RequiredLabel,
    variants: Annotated[
        tuple[VariantInput, ...],
        Field(max_length=100, description="[{name, config, weight, control}]."),
    ] = (),
    space: Annotated[
        Dimensions,
        Field(max_length=50, description="Or {dimension: [values]}."),
    ] = {},  # noqa: B006 - read only
    constraints: Annotated[
        tuple[Configuration, ...],
        Field(max_length=100, description="{exclude: {}}, {if: {}, then: {}}, {less: []}."),
    ] = (),
    metric: Annotated[
        MetricInput,
        Field(
            description="{name, direction higher|lower, kind binary|continuous|count|duration, range, minimum_effect}"
            " or {components}."
        ),
    ] = MetricInput(),  # noqa: B008 - frozen
    guardrails: Annotated[
        tuple[GuardrailInput, ...], Field(max_length=20, description="[{name, direction, range, margin}].")
    ] = (),
    context: Label = "",
    domain: Label = "",
    variable: Annotated[Label, Field(description="What it changes.")] = "",
    tier: Annotated[int, Field(ge=1, le=3, description="1 runs alone.")] = 2,
    mode: Mode = "interleaved",
    description: Notes = "",
    start: bool = True,
    client_ref: ClientRef = "",
) -> ExperimentCreated:
    """Ask which variant of a prompt, model or setting is better.

    Returns the experiment's id and how many runs per variant the answer will take.
    """
    from vettle.engine.experiments import lifecycle

    return lifecycle.create(
        project,
        name=name,
        variants=variants,
        space=space,
        constraints=constraints,
        metric=metric,
        guardrails=guardrails,
        context=context,
        domain=domain,
        variable=variable,
        tier=tier,
        mode=mode,
        description=description,
        start=start,
        client_ref=client_ref,
    )


def variant_select(
    project: Project,
    experiment: Experiment,
    unit: Annotated[Label, Field(description="Same unit, same variant.")] = "",
    context: Label = "",
    policy: Annotated[SelectionPolicy, Field(description="auto compares.")] = "auto",
    pair_id: Annotated[Label, Field(description="Item (paired mode).")] = "",
    stratum: Label = "",
    client_ref: ClientRef = "",
) -> VariantSelected:
    """Get the variant to use for a piece of work, before you do it.

    Returns its config and the assignment_id for run_record.
    """
    from vettle.engine.experiments import assignment

    return assignment.select(
        project,
        experiment=experiment,
        unit=unit,
        context=context,
        policy=policy,
        pair_id=pair_id,
        stratum=stratum,
        client_ref=client_ref,
    )


def run_record(
    project: Project,
    experiment: Experiment,
    runs: Annotated[
        tuple[RunInput, ...],
        Field(
            min_length=1,
            max_length=MOST_RUNS,
            description="[{assignment_id, metrics {name: number}, status completed|failed|timeout|infrastructure|"
            "cancelled, duration_ms, tokens_out, cost, dimensions {}}].",
        ),
    ],
    client_ref: ClientRef = "",
) -> RunsRecorded:
    """Record what came of it: all rows, or none and the reason for each bad one.

    infrastructure and cancelled do not count against a variant; failed and timeout do.
    """
    from vettle.engine.experiments import runs as engine

    return engine.record(project, experiment=experiment, runs=runs, client_ref=client_ref)


def experiment_results(
    project: Project,
    experiment: Experiment,
    metric: Annotated[Label, Field(description="Another, or success.")] = "",
    by: Annotated[tuple[Label, ...], Field(max_length=5)] = (),
    interval: Annotated[Literal["", "hour", "day", "week"], Field(description="Time series.")] = "",
    limit: Limit = 20,
) -> ExperimentResults:
    """Get the verdict, which stays true however often you ask, with the estimates behind it.

    insufficient is an answer: it says how many more runs are needed. Never pick the highest average yourself.
    """
    from vettle.engine.experiments import results

    return results.results(
        project, experiment=experiment, metric=metric, by=by, interval=interval, limit=limit
    )


def experiment_decide(
    project: Project, experiment: Experiment, action: ExperimentAction, reason: Reason
) -> ExperimentDecided:
    """Start, pause, resume, stop, close (freezes the verdict), apply, abandon or restart an experiment."""
    from vettle.engine.experiments import lifecycle

    return lifecycle.decide(project, experiment=experiment, action=action, reason=reason)


TOOLS: tuple[Tool, ...] = (
    Tool(experiment_create, "Create an experiment"),
    Tool(variant_select, "Select a variant"),
    Tool(run_record, "Record runs"),
    Tool(experiment_results, "Experiment results", reads_only=True, idempotent=True),
    Tool(experiment_decide, "Decide about an experiment", destroys=True),
)
"""Part of the core toolset."""
