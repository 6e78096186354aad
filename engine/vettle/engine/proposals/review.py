"""The review of proposals: what each is, before anything starts, and the exact call that would start it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vettle.engine.identifiers import canonical_json
from vettle.engine.paging import REPLY_CHARACTERS
from vettle.engine.project import Project
from vettle.engine.proposals.accept import accept as accept_new
from vettle.engine.proposals.accept import provenance
from vettle.engine.proposals.briefing import shown
from vettle.engine.proposals.classifying import Classified, classify
from vettle.engine.records.proposals import (
    Proposal,
    ProposalsReviewed,
    ReviewedProposal,
    RuleProposal,
)
from vettle.engine.store import Transaction

_CALL_CHARACTERS = 1_500
_ROOM = REPLY_CHARACTERS - 2_000
_TITLE_CHARACTERS = 120
_REASON_CHARACTERS = 400
_SHORT_STEP = "To start it: pass it to proposals_review with accept true."


def review(
    project: Project,
    *,
    proposals: Sequence[Proposal],
    accept: bool = False,
    proposer: str = "",
    client_ref: str = "",
) -> ProposalsReviewed:
    """Say of each proposal whether it is known, merged, new or rejected; with `accept`, take the new ones.

    Taken rules go on trial (or to a person), taken experiments are proposed and wait for experiment_decide
    start; all in one transaction. Without `accept` nothing is recorded. `proposer` is whose ideas they are.

    Raises:
        ClientRefReused: The `client_ref` was used with other arguments.
    """
    if not accept:
        with project.read() as transaction:
            return answer(classify(transaction, proposals), {})

    def work(transaction: Transaction, uid: bytes) -> ProposalsReviewed:
        found = classify(transaction, proposals)
        return answer(found, accept_new(transaction, uid, found, proposer))

    arguments: dict[str, object] = {
        "proposals": [proposal.model_dump(mode="json") for proposal in proposals],
        "proposer": proposer,
    }
    return project.once(ProposalsReviewed, "proposals_review", client_ref, arguments, work)


def answer(found: Sequence[Classified], accepted: Mapping[int, str]) -> ProposalsReviewed:
    """Return the record of a review, short enough to read."""
    rows = [reviewed(one, accepted.get(one.number, "")) for one in found]
    counts = Counter(row.status for row in rows)
    if accepted:
        step = (
            "Rules are tried from now on. To start an experiment: experiment_decide, with its id and start."
        )
    elif counts["new"]:
        step = "To start the new ones: proposals_review with the same proposals and accept true."
    else:
        step = "Nothing is new: look at report_get kind evidence for what is not known yet."
    record = ProposalsReviewed(proposals=rows, by_status=dict(counts), accepted=len(accepted), next_step=step)
    if len(record.model_dump_json()) <= _ROOM:
        return record
    shorter = [
        row.model_copy(update={"next_step": _SHORT_STEP}) if row.status == "new" else row for row in rows
    ]
    note = "The calls are left out of this answer, because they are long."
    return record.model_copy(update={"proposals": shorter, "notes": [note]})


def reviewed(one: Classified, accepted_as: str = "") -> ReviewedProposal:
    """Return the record of one reviewed proposal."""
    proposal = one.proposal
    title = proposal.text if isinstance(proposal, RuleProposal) else proposal.name
    return ReviewedProposal(
        number=one.number,
        kind=proposal.kind,
        title=shown(title, _TITLE_CHARACTERS),
        status=one.status,
        reasons=[reason[:_REASON_CHARACTERS] for reason in one.reasons],
        flags=list(one.flags),
        same_as=one.same_as,
        runs_per_variant=one.runs,
        accepted_as=accepted_as,
        next_step=_next_step(one, accepted_as),
    )


def _next_step(one: Classified, accepted_as: str) -> str:
    is_rule = isinstance(one.proposal, RuleProposal)
    if accepted_as and "needs_person" in one.flags:
        return f"A person has to look at it first: rule_decide {accepted_as} approve 'why' (or reject)."
    if accepted_as:
        return "" if is_rule else f"To start it: experiment_decide {accepted_as} start."
    if one.status == "known" or (one.status == "merged" and one.same_as != one.variable):
        return f"Nothing to do: see {one.same_as}."
    if one.status == "rejected":
        return "Mend what the reasons say, or leave it."
    tool, arguments = call(one)
    said = f"{tool} {canonical_json(arguments)}"
    if len(said) <= _CALL_CHARACTERS:
        return said
    return _SHORT_STEP if one.status == "new" else f"To start it: {tool} with variable {one.variable!r}."


def call(one: Classified) -> tuple[str, dict[str, Any]]:
    """Return the tool and the arguments that would start a proposal."""
    proposal = one.proposal
    given = proposal.model_dump(mode="json", exclude_defaults=True)
    given.pop("kind")
    if isinstance(proposal, RuleProposal):
        given.pop("evidence", None)
        source = "mistake" if proposal.evidence else "agent"
        said = provenance(proposal)
        return "rule_add", given | {"source": source} | ({"rationale": said} if said else {})
    given.pop("expected_effect", None)
    given |= {"variable": one.variable, "start": False}
    if "rationale" in given:
        given["description"] = given.pop("rationale")
    return "experiment_create", given
