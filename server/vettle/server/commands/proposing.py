"""The command that proposes what to try next, and reviews and takes proposals."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import click

from vettle.engine.project import Project
from vettle.engine.records.proposals import ProposalsMade, ProposalsReviewed, ReviewedProposal
from vettle.server.commands.checking import checked
from vettle.server.commands.common import counted, emit, given_bytes, json_option, open_project, parsed_json
from vettle.server.commands.completing import known
from vettle.server.commands.wording import worded
from vettle.server.commands.working import working
from vettle.server.lab.proposing import proposals_make, proposals_review
from vettle.server.toolsets import find

_CALL = re.compile(r"(?P<command>vettle [a-z ]+) (?P<arguments>\{.*\})", re.DOTALL)
"""A step that is the call of a tool, in its command's words: the shell needs the arguments in quotes."""


@click.command()
@click.option("--focus", default="", help="What the proposals should be about.")
@click.option(
    "--context", default="", help="Only experiments on this kind of work.", shell_complete=known("context")
)
@click.option(
    "--limit", default=5, show_default=True, help="Most proposals, of mistakes and of a model each."
)
@click.option("--ask/--no-ask", default=True, show_default=True, help="Ask the configured model.")
@click.option(
    "--accept", is_flag=True, help="Take the new ones: rules on trial, experiments not yet started."
)
@click.option(
    "--review", "file", default="", metavar="FILE", help='Review these instead, JSON; "-" reads stdin.'
)
@click.option("--proposer", default="", help="With --review: whose ideas they are.")
@click.option("--client-ref", default="", help="With --review: retry key, recorded once.")
@json_option
def propose(as_json: bool, accept: bool, file: str, proposer: str, client_ref: str, **given: Any) -> None:
    """Example: vettle propose --no-ask.

    What to try next: rules against mistakes that keep coming back, the ideas of an OpenAI-compatible model if one
    is configured, and what is known. Nothing is recorded without --accept.
    """
    if file:
        arguments = {
            "proposals": _read(file),
            "accept": accept,
            "proposer": proposer,
            "client_ref": client_ref,
        }
        with open_project() as project:
            record = _review(project, arguments)
        emit(record, as_json, lambda: _reviewed(worded(record)))
        return
    with open_project() as project, working("making proposals"):
        made = proposals_make(project, **checked(find(proposals_make), given))
        new = [one.proposal for one in made.proposals if one.review.status == "new"] if accept else []
        taken = _review(project, {"proposals": new, "accept": True, "proposer": made.model}) if new else None
    if taken is None or not as_json:
        emit(made, as_json, lambda: _made(worded(made)))
    if taken is not None:
        emit(taken, as_json, lambda: _reviewed(worded(taken)))


def _review(project: Project, arguments: dict[str, Any]) -> ProposalsReviewed:
    return proposals_review(project, **checked(find(proposals_review), arguments))


def _read(file: str) -> Any:
    """Return the proposals of a file: a list, what a model answers, or what this command prints."""
    value = parsed_json("--review", given_bytes("--review", file), "Pass a list of proposals")
    found = value.get("proposals") if isinstance(value, dict) else value
    if not isinstance(found, list):
        return found
    return [one.get("proposal", one) if isinstance(one, dict) else one for one in found]


def _made(made: ProposalsMade) -> Iterator[str]:
    if made.note:
        yield made.note
    for one in made.proposals:
        origin = "from mistakes" if one.source == "mistake" else f"from {made.model}"
        yield from _proposal(one.review, origin)
        if one.proposal.rationale:
            yield f"    {' '.join(one.proposal.rationale.split())}"
    if not made.proposals:
        yield "Nothing to propose yet."
    evidence = made.evidence
    yield (
        f"evidence  {counted(len(evidence.variables), 'variable')}, {counted(len(evidence.open), 'open experiment')}, "
        f"{counted(len(evidence.mistakes), 'recurring mistake')} (all of it: --json)"
    )
    yield from made.notes
    yield f"next      {made.next_step}"


def _reviewed(record: ProposalsReviewed) -> Iterator[str]:
    for row in record.proposals:
        yield from _proposal(row, row.accepted_as and f"is {row.accepted_as}")
    yield from record.notes
    yield f"next      {record.next_step}"


def _proposal(row: ReviewedProposal, said: str) -> Iterator[str]:
    yield f"{row.number}. {row.status} {row.kind}{f' ({said})' if said else ''}: {row.title}"
    for reason in row.reasons:
        yield f"    {reason}"
    if row.flags:
        yield f"    {', '.join(row.flags).replace('_', ' ')}"
    if row.next_step:
        call = _CALL.fullmatch(row.next_step)
        yield (
            f"    {call['command']} --arguments {shlex.quote(call['arguments'])}"
            if call
            else f"    {row.next_step}"
        )
