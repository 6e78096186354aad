"""The tools that look into the runs themselves: the best and the worst of them, and how they fail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vettle.engine.arguments import Label, Limit, Period
from vettle.engine.project import Project
from vettle.engine.records.evidence import Performers
from vettle.engine.records.reports import FailuresReport
from vettle.server.experiment_tools import Experiment
from vettle.server.tool import Tool


def performers_list(
    project: Project,
    experiment: Experiment,
    metric: Annotated[Label, Field(description="Another recorded metric.")] = "",
    top: Annotated[int, Field(ge=1, le=20, description="Runs of each list.")] = 5,
) -> Performers:
    """List the best and the worst runs of an experiment, how its metrics spread, and what the best share.

    What they share is a hint of what to test, and no finding.
    """
    # Imported here because judging needs numpy, which a server loads only after the handshake.
    from vettle.engine.analysis import performers

    return performers.performers(project, experiment=experiment, metric=metric, top=top)


def failures_list(
    project: Project,
    context: Label = "",
    period: Annotated[Period, Field(description='"30d" or "all".')] = "30d",
    limit: Limit = 20,
) -> FailuresReport:
    """List the ways in which runs failed, over all experiments, with where, when last, and an example."""
    from vettle.engine.analysis import failures

    return failures.failures(project, context=context, period=period, limit=limit)


TOOLS: tuple[Tool, ...] = (
    Tool(performers_list, "List performers", reads_only=True, idempotent=True),
    Tool(failures_list, "List failures", reads_only=True, idempotent=True),
)
