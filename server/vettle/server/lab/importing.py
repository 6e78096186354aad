"""The tool that brings data of other systems in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vettle.engine.arguments import ProjectPath
from vettle.engine.paging import fit
from vettle.engine.project import Project
from vettle.engine.records.exchange import DataImported
from vettle.server.tool import Tool

SourceSystem = Literal[
    "",
    "vettle",
    "buildlog",
    "singularity-forge",
    "ordal",
    "adaptive-iteration",
    "ai-experiments",
    "promptlooper",
]


def data_import(
    project: Project,
    path: Annotated[ProjectPath, Field(min_length=1, description="File or folder in the project.")],
    system: Annotated[SourceSystem, Field(description="Whose it is, if it is not recognised.")] = "",
    apply: Annotated[bool, Field(description="false only tells what would happen.")] = False,
) -> DataImported:
    """Import what another system recorded: rules, sessions, mistakes, rewards, experiments, runs.

    Doing it again changes nothing. Returns per file what was taken and what was left out and why.
    """
    from vettle.engine.exchange import sources

    inside = project.root / project.relative("path", path)
    record = sources.bring(project, inside, system=system, apply=apply)
    files = fit(record.files)
    if len(files) == len(record.files):
        return record
    left_out = len(record.files) - len(files)
    note = f"Files that this answer has no room for: {left_out}. vettle import shows all."
    return record.model_copy(update={"files": files, "notes": [*record.notes, note]})


TOOLS: tuple[Tool, ...] = (Tool(data_import, "Import data", idempotent=True),)
