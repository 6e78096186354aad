"""The tool that takes the best configuration out of the project."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vettle.engine.arguments import Label, ProjectPath
from vettle.engine.project import Project
from vettle.engine.records.exports import BestExported, ExportFormat
from vettle.server.tool import Tool

_CHARACTERS = 18_000


def best_export(
    project: Project,
    experiment: Annotated[Label, Field(description="Id or name; chain needs none.")] = "",
    format: Annotated[
        ExportFormat, Field(description="chain: fallback order of models by context.")
    ] = "json",
    metric: Annotated[
        Label, Field(description="Another: success, duration_ms, tokens_out, cost or a recorded one.")
    ] = "",
    minimum_runs: Annotated[int, Field(ge=1, le=1_000_000)] = 1,
    top: Annotated[int, Field(ge=1, le=50, description="Alternatives to list.")] = 5,
    context: Annotated[Label, Field(description="Of chain.")] = "",
    path: Annotated[ProjectPath, Field(description="File in the project to write.")] = "",
    prefix: Annotated[Label, Field(description="Of the names in env, such as APP_.")] = "",
) -> BestExported:
    """Export an experiment's best configuration, and whether it is proven best or only ahead so far.

    With `path` it is also written there; a file that is no earlier export is never replaced.
    """
    from vettle.engine.exchange import exporting

    return exporting.export(
        project,
        experiment=experiment,
        format=format,
        metric=metric,
        minimum_runs=minimum_runs,
        top=top,
        context=context,
        prefix=prefix,
        path=path,
        characters=_CHARACTERS,
    )


TOOLS: tuple[Tool, ...] = (Tool(best_export, "Export the best configuration", idempotent=True),)
