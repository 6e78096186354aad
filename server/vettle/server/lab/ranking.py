"""The tool that ranks models, or the values of any variable, for each kind of work."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vettle.engine.arguments import Label, Limit, Period, RequiredLabel
from vettle.engine.project import Project
from vettle.engine.records.ranking import VariantsRanked
from vettle.server.tool import Tool


def variants_rank(
    project: Project,
    variable: RequiredLabel = "model",
    context: Annotated[Label, Field(description='"" is every context.')] = "",
    period: Annotated[Period, Field(description='"30d", or "all".')] = "all",
    low_risk: Annotated[
        tuple[RequiredLabel, ...],
        Field(max_length=50, description="Contexts in which a challenger may be tried."),
    ] = (),
    limit: Limit = 20,
) -> VariantsRanked:
    """Rank models (or the values of another variable) per context, before choosing one for a piece of work.

    Answers with what is believed of each, advice to demote, a challenger to try, and the order to fall back in.
    """
    # Imported here because numpy costs 0.1 s, which a server should pay only when somebody asks.
    from vettle.engine.ranking import ranks

    found = ranks.rank(project, variable=variable, context=context, period=period, low_risk=low_risk)
    return ranks.brief(found, limit)


TOOLS: tuple[Tool, ...] = (Tool(variants_rank, "Rank variants", reads_only=True, idempotent=True),)
