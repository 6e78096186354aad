"""The tools around experiments that few sessions need: lists, choices, samples, variables, calibration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vettle.engine.arguments import (
    Configuration,
    Cursor,
    Dimensions,
    Label,
    Limit,
    Notes,
    RequiredLabel,
    Seed,
)
from vettle.engine.choices import OptionChosen, OptionInput, SpaceSampled
from vettle.engine.project import Project
from vettle.engine.records import (
    Calibration,
    ExperimentsPage,
    ExperimentState,
    VariableRegistered,
)
from vettle.server.experiment_tools import Experiment
from vettle.server.tool import Tool


def experiments_list(
    project: Project,
    state: ExperimentState | Literal[""] = "",
    context: Label = "",
    limit: Limit = 20,
    cursor: Cursor = "",
) -> ExperimentsPage:
    """List experiments, newest first, with where each stands."""
    from vettle.engine.experiments import listing

    return listing.listed(project, state=state, context=context, limit=limit, cursor=cursor)


def choose(
    project: Project,
    options: Annotated[
        tuple[OptionInput, ...],
        Field(
            min_length=1,
            max_length=100,
            description="[{id, score or null, weight, n, mean, low, high}]; mean in [0, 1] for thompson.",
        ),
    ],
    policy: Literal[
        "score", "weighted", "epsilon_greedy", "thompson", "ucb", "best_so_far", "uniform", "top_two"
    ] = "score",
    epsilon: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.1,
    seed: Annotated[Seed, Field(description="-1 draws one.")] = -1,
) -> OptionChosen:
    """Choose one of the given options by a named policy; nothing is recorded."""
    from vettle.engine import choices

    return choices.choose(project, options=options, policy=policy, epsilon=epsilon, seed=seed)


def space_sample(
    project: Project,
    space: Annotated[
        Dimensions,
        Field(min_length=1, max_length=50, description="{dimension: [values]}."),
    ],
    constraints: Annotated[tuple[Configuration, ...], Field(max_length=100)] = (),
    n: Annotated[int, Field(ge=1, le=200)] = 10,
    method: Literal["unique", "replacement", "latin"] = "unique",
    seed: Annotated[Seed, Field(description="-1 draws one.")] = -1,
) -> SpaceSampled:
    """Draw configurations from a parameter space of any size, with the exact number there are."""
    from vettle.engine import choices

    return choices.sample(project, dimensions=space, constraints=constraints, n=n, method=method, seed=seed)


def variable_register(
    project: Project,
    name: RequiredLabel,
    domain: Label = "",
    aliases: Annotated[tuple[RequiredLabel, ...], Field(max_length=50)] = (),
    description: Notes = "",
    execution: Annotated[Notes, Field(description="How a variant is put into effect.")] = "",
) -> VariableRegistered:
    """Register what experiments change, with its other names; duplicates are merged."""
    from vettle.engine.experiments import variables

    return variables.register(
        project, name=name, domain=domain, aliases=aliases, description=description, execution=execution
    )


def judge_calibrate(
    project: Project,
    experiment: Experiment,
    simulations: Annotated[int, Field(ge=20, le=2_000)] = 200,
    effect: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="0: the declared one.")
    ] = 0.0,
    alpha: Annotated[float, Field(gt=0, lt=0.5, allow_inf_nan=False)] = 0.05,
    minimum_effect: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0,
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0,
) -> Calibration:
    """Test the judge on your own data: how often it names a false winner, how often it finds a real one.

    Also judges the experiment under these settings; nothing is written.
    """
    from vettle.engine.experiments import calibration

    return calibration.calibrate(
        project,
        experiment=experiment,
        simulations=simulations,
        effect=effect,
        alpha=alpha,
        minimum_effect=minimum_effect,
        seed=seed,
    )


TOOLS: tuple[Tool, ...] = (
    Tool(experiments_list, "List experiments", reads_only=True, idempotent=True),
    Tool(choose, "Choose an option", reads_only=True),
    Tool(space_sample, "Sample a space", reads_only=True),
    Tool(variable_register, "Register a variable", idempotent=True),
    Tool(judge_calibrate, "Calibrate the judge", reads_only=True, idempotent=True),
)
