"""The tools that propose what to try next, and review what anybody proposes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from vettle.engine.arguments import Label, Task
from vettle.engine.project import Project
from vettle.engine.records.proposals import MOST_PROPOSALS, Proposal, ProposalsMade, ProposalsReviewed
from vettle.server.tool import ClientRef, Tool

AnyProposal = Annotated[Proposal, WithJsonSchema({"type": "object"})]
"""A proposal of either kind; its fields stand in the description of the argument, as for every nested record."""


def proposals_make(
    project: Project,
    focus: Annotated[Task, Field(description="What they should be about.")] = "",
    context: Label = "",
    limit: Annotated[int, Field(ge=1, le=10)] = 5,
    ask: Annotated[bool, Field(description="Ask the configured model, if there is one.")] = True,
) -> ProposalsMade:
    """Get what to try next: rules against repeated mistakes, a model's ideas, the evidence for your own.

    Nothing is recorded. If no model answers, the note says why: then propose from the evidence yourself.
    """
    from vettle.engine.proposals import make

    return make.make(project, focus=focus, context=context, limit=limit, ask=ask)


def proposals_review(
    project: Project,
    proposals: Annotated[
        tuple[AnyProposal, ...],
        Field(
            min_length=1,
            max_length=MOST_PROPOSALS,
            description="[{kind rule, text, category, context, globs, rationale, evidence [mistake ids]} or "
            "{kind experiment, name, variable, domain, context, variants [{name, config, hint, control}], "
            "metric {name, direction, kind, range, minimum_effect}, expected_effect, rationale}].",
        ),
    ],
    accept: Annotated[bool, Field(description="Take the new ones.")] = False,
    proposer: Annotated[Label, Field(description="Whose ideas they are.")] = "",
    client_ref: ClientRef = "",
) -> ProposalsReviewed:
    """Tell which proposals are known, merged, new or rejected, and why, before anything starts.

    With accept the new ones are taken: rules go on trial, experiments wait for experiment_decide start.
    """
    from vettle.engine.proposals import review

    return review.review(
        project, proposals=proposals, accept=accept, proposer=proposer, client_ref=client_ref
    )


TOOLS: tuple[Tool, ...] = (
    Tool(proposals_make, "Propose what to try", reads_only=True, reaches_out=True),
    Tool(proposals_review, "Review proposals"),
)
