"""Proposals of what to try next: distilled from mistakes, asked of a model, and the evidence for whoever asks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from vettle.engine import quarantine
from vettle.engine.paging import REPLY_CHARACTERS, fit
from vettle.engine.project import Project
from vettle.engine.proposals import asking, briefing, distilling, endpoint
from vettle.engine.proposals.classifying import classify
from vettle.engine.proposals.review import reviewed
from vettle.engine.proposals.schema import strict_schema
from vettle.engine.records.evidence import Evidence
from vettle.engine.records.proposals import MadeProposal, Proposal, ProposalsMade, RuleProposal

_PROPOSALS_CHARACTERS = 7_000
_ROOM = REPLY_CHARACTERS - 500


def make(
    project: Project,
    *,
    focus: str = "",
    context: str = "",
    limit: int = 5,
    ask: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> ProposalsMade:
    """Propose what to try next; nothing is recorded, and no failure of a model is raised.

    Repeated mistakes become candidate rules without any model. With `ask` and a configured endpoint a model
    is asked too, at most `limit` proposals of each; else the caller proposes from the evidence. `focus` says
    what the proposals should be about.
    """
    # Imported here because of numpy, which a server loads only after the handshake.
    from vettle.engine.analysis import evidence as analysis

    evidence = briefing.clean(analysis.summary(project, context=context))
    return propose(project, evidence, focus=focus, limit=limit, ask=ask, environment=environment)


def propose(
    project: Project,
    evidence: Evidence,
    *,
    focus: str,
    limit: int,
    ask: bool,
    environment: Mapping[str, str],
) -> ProposalsMade:
    """Propose what to try next from evidence that is clean already."""
    settings = project.settings.proposals
    target = endpoint.configured(settings, environment) if ask else "No model was asked"
    if isinstance(target, endpoint.Endpoint):
        asked = asking.ask(target, evidence, focus=focus, limit=limit, settings=settings)
        failure = f"{target.model} was asked: {asked.failure}." if asked.failure else ""
        model = target.model
    else:
        asked, failure, model = asking.Asked(), f"{target}.", ""
    made, notes = _reviewed(project, asked.proposals[:limit], limit)
    answer = ProposalsMade(
        source="evidence" if failure else "model",
        model=model,
        note=quarantine.redact(failure),
        proposals=made,
        evidence=evidence,
        instructions=briefing.INSTRUCTIONS,
        proposal_schema=strict_schema(),
        notes=notes,
        next_step=_next_step(made, bool(failure)),
    )
    room = _ROOM - len(answer.model_dump_json()) + len(evidence.model_dump_json())
    return answer.model_copy(update={"evidence": shortened(evidence, room)})


def _next_step(made: Sequence[MadeProposal], own: bool) -> str:
    if any(one.review.status == "new" for one in made):
        step = "Pass the proposals worth trying to proposals_review, with accept true to take the new ones."
        return f"{step} Add your own from the evidence." if own else step
    return (
        "Propose from the evidence, by the schema, and pass that to proposals_review."
        if own
        else "The model proposes nothing new. Propose yourself, or log more sessions and runs first."
    )


def _reviewed(
    project: Project, ideas: Sequence[Proposal], limit: int
) -> tuple[list[MadeProposal], list[str]]:
    """Review the distilled rules and a model's ideas together; say what is left out."""
    with project.read() as transaction:
        distilled = distilling.distil(transaction, limit=limit)
        shown = [one for one in ideas if not _needs_person(one)]
        every = [*distilled.rules, *shown]
        classified = classify(transaction, every)
    made = [
        MadeProposal(
            source="mistake" if index < len(distilled.rules) else "model",
            proposal=one.proposal,
            review=reviewed(one),
        )
        for index, one in enumerate(classified)
    ]
    kept = fit(made, _PROPOSALS_CHARACTERS)
    hidden = distilled.left_out + len(ideas) - len(shown)
    notes = (
        [f"{hidden} more are left out: a person would have to read or shorten them first."] if hidden else []
    )
    if len(kept) < len(made):
        notes.append(f"{len(made) - len(kept)} more do not fit into this answer: ask for fewer.")
    return kept, notes


def _needs_person(proposal: Proposal) -> bool:
    """Tell whether a proposal holds text, in any of its fields, that nobody but a person should read."""
    if isinstance(proposal, RuleProposal) and quarantine.reasons(proposal.text):
        return True
    return any(briefing.instructing(text) for text in _texts(proposal.model_dump(mode="json")))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for entry in (*value, *value.values()) for text in _texts(entry)]
    return [text for entry in value for text in _texts(entry)] if isinstance(value, list) else []


def shortened(evidence: Evidence, room: int) -> Evidence:
    """Return the evidence in at most `room` characters: the ends of its longest lists go, which is said."""
    short = evidence
    while len(short.model_dump_json()) > room:
        sizes = {name: len(str(rows)) for name, rows in short if isinstance(rows, list) and rows}
        longest = max(sizes, key=lambda name: sizes[name])
        rows = getattr(short, longest)[:-1]
        note = f"The end of {longest} is left out of this answer."
        notes = short.notes if longest == "notes" or note in short.notes else [*short.notes, note]
        short = short.model_copy(update={"notes": notes, longest: rows})
    return short
